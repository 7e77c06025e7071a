import { gdbArguments, planGdb } from '../../native/cli/gdb-args';

const debug = (argv: string[]) => {
  const plan = planGdb(argv);
  if (plan.kind !== 'debug') throw new Error('expected a plan to debug');
  return plan;
};

describe('what reaches gdb', () => {
  test.each([
    [['./prog']],
    [['-q', '-batch', '-ex', 'run', './prog']],
    [['--interpreter=mi3', './prog']],
    [['--args', './prog', '-p', '12', '--version']],
    [['-ex', '-p', './prog']],
    [['-x', '--version', './prog']],
    [['--', './prog']],
    [['-nosuch', './prog']],
  ])('%j is handed on word for word', (argv) => {
    expect(planGdb(argv)).toEqual({ kind: 'debug', args: argv, program: './prog' });
  });

  test.each([[[]], [['-i', 'mi2']], [['--args']]])('%j names no program', (argv) => {
    expect(planGdb(argv)).toEqual({ kind: 'debug', args: argv });
  });

  it('connects after the symbols are loaded and before the commands of the user', () => {
    expect(gdbArguments(debug(['-ex', 'run', './prog']), '/d/savepoint.py', '/r/gdb.sock')).toEqual([
      '-ix',
      '/d/savepoint.py',
      '-ex',
      'savepoint-connect /r/gdb.sock',
      '-ex',
      'run',
      './prog',
    ]);
  });
});

describe('a process to attach to', () => {
  test.each([[['-p', '4711']], [['-p=4711']], [['--pid', '4711']], [['--pid=4711']], [['--pi', '4711']], [['-c', '4711']]])(
    '%j becomes an attach through our target',
    (argv) => {
      expect(planGdb([...argv, '-q'])).toEqual({ kind: 'debug', args: ['-q'], attach: '4711' });
    },
  );

  it('is the second operand when that is a number', () => {
    expect(planGdb(['-q', './prog', '4711', '-ex', 'bt'])).toEqual({
      kind: 'debug',
      args: ['-q', './prog', '-ex', 'bt'],
      program: './prog',
      attach: '4711',
    });
  });

  it('is attached to right after connecting', () => {
    expect(gdbArguments(debug(['-p', '7', '-ex', 'bt']), 's.py', 's.sock').slice(2)).toEqual([
      '-ex',
      'savepoint-connect s.sock',
      '-ex',
      'attach 7',
      '-ex',
      'bt',
    ]);
  });
});

describe('without an owner', () => {
  test.each([
    [['--version']],
    [['-v']],
    [['--configuration']],
    [['-q', '--help']],
    [['./prog', 'core']],
    [['-c', 'core.12', './prog']],
    [['--core=core', './prog']],
    [['-p']],
  ])('%j is for gdb alone', (argv) => {
    expect(planGdb(argv)).toEqual({ kind: 'plain', args: argv });
  });
});

describe('options that we need ourselves', () => {
  it('starts the program where gdb changes to', () => {
    expect(planGdb(['--cd', '/src', './prog'])).toEqual({
      kind: 'debug',
      args: ['--cd', '/src', './prog'],
      program: './prog',
      cwd: '/src',
    });
    expect(planGdb(['-cd=/src'])).toEqual({ kind: 'debug', args: ['-cd=/src'], cwd: '/src' });
  });

  it('gives the terminal to the program, not to gdb', () => {
    expect(planGdb(['-tty', '/dev/pts/7', './prog'])).toEqual({
      kind: 'debug',
      args: ['./prog'],
      program: './prog',
      tty: '/dev/pts/7',
    });
    expect(planGdb(['--tty=/dev/pts/7'])).toEqual({ kind: 'debug', args: [], tty: '/dev/pts/7' });
  });
});
