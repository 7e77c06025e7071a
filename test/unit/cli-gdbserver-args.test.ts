import { parseComm, planGdbserver } from '../../native/cli/gdbserver-args';

const defaults = { kind: 'serve', multi: false, once: false, debug: false, disableRandomization: true };

describe('the three shapes of the command line', () => {
  it('runs a program with its arguments, which are not ours to read', () => {
    expect(planGdbserver([':2345', './prog', '--once', '-x'])).toEqual({
      ...defaults,
      comm: { kind: 'tcp', port: 2345 },
      mode: { kind: 'launch', program: './prog', args: ['--once', '-x'] },
    });
  });

  it('attaches', () => {
    expect(planGdbserver(['--once', '--attach', 'localhost:0', '4711'])).toEqual({
      ...defaults,
      once: true,
      comm: { kind: 'tcp', host: 'localhost', port: 0 },
      mode: { kind: 'attach', pid: 4711 },
    });
  });

  it('waits for gdb to say what to run', () => {
    expect(planGdbserver(['--multi', '-'])).toEqual({
      ...defaults,
      multi: true,
      comm: { kind: 'stdio' },
      mode: { kind: 'multi' },
    });
  });

  it('stays after the program when both are given', () => {
    expect(planGdbserver(['--multi', '/tmp/s', './prog'])).toMatchObject({
      multi: true,
      comm: { kind: 'unix', path: '/tmp/s' },
      mode: { kind: 'launch', program: './prog' },
    });
  });
});

describe('options', () => {
  it('takes a wrapper up to --', () => {
    expect(planGdbserver(['--wrapper', 'env', 'A=1', '--', '--once', ':1', 'p'])).toMatchObject({
      wrapper: ['env', 'A=1'],
      once: true,
    });
  });

  it('switches what gdbserver switches', () => {
    expect(
      planGdbserver(['--debug', '--debug-format=all', '--no-disable-randomization', '--no-startup-with-shell', ':1', 'p']),
    ).toMatchObject({ debug: true, disableRandomization: false });
  });

  it('answers --version and --help', () => {
    expect(planGdbserver(['--version'])).toEqual({ kind: 'version' });
    expect(planGdbserver(['--debug', '--help'])).toEqual({ kind: 'help' });
  });

  test.each([
    [[], 'gdbserver-comm'],
    [[':1'], 'gdbserver-program'],
    [['--attach', ':1'], 'gdbserver-pid'],
    [['--attach', ':1', 'abc'], 'gdbserver-pid'],
    [['--attach', ':1', '0'], 'gdbserver-pid'],
    [['--attach', ':1', '12', 'x'], 'gdbserver-pid'],
    [['--wrapper', '--', ':1', 'p'], 'gdbserver-wrapper'],
    [['--wrapper', 'env', ':1', 'p'], 'gdbserver-wrapper'],
    [['--selftest'], 'gdbserver-selftest'],
    [['--nosuch', ':1', 'p'], 'gdbserver-option'],
  ])('%j is refused as %s', (argv, code) => {
    expect(() => planGdbserver(argv)).toThrow(expect.objectContaining({ family: 'user', code }));
  });
});

describe('where to listen', () => {
  test.each([
    [':0', { kind: 'tcp', port: 0 }],
    ['host.example:99', { kind: 'tcp', host: 'host.example', port: 99 }],
    ['[::1]:99', { kind: 'tcp', host: '::1', port: 99 }],
    ['tcp:localhost:99', { kind: 'tcp', host: 'localhost', port: 99 }],
    ['stdio', { kind: 'stdio' }],
    ['./debug.sock', { kind: 'unix', path: './debug.sock' }],
    ['unix:debug.sock', { kind: 'unix', path: 'debug.sock' }],
  ])('%s', (text, comm) => {
    expect(parseComm(text)).toEqual(comm);
  });

  test.each([
    ['/dev/ttyS0', 'gdbserver-serial'],
    ['COM1', 'gdbserver-serial'],
    ['udp:host:1', 'gdbserver-udp'],
    ['2345', 'gdbserver-comm'],
    [':65536', 'gdbserver-comm'],
    ['host:', 'gdbserver-comm'],
    ['unix:', 'gdbserver-comm'],
  ])('%s is refused', (text, code) => {
    expect(() => parseComm(text)).toThrow(expect.objectContaining({ family: 'user', code }));
  });
});
