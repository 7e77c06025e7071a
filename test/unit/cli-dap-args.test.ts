import { asksForDap, planDap } from '../../native/cli/dap-args';

const stdio = { kind: 'serve', door: 'stdio', commands: [] };

it.each([
  [[], stdio],
  [['--socket', '/run/x'], { ...stdio, door: 'socket', path: '/run/x' }],
  [['--port=0'], { ...stdio, door: 'port', port: 0 }],
  [['--help'], { kind: 'help' }],
  // As editors start gdb's own adapter.
  [['-i=dap'], stdio],
  [['-q', '-i', 'dap'], stdio],
  [['--interpreter=dap'], stdio],
  [
    ['--interpreter=dap', '--eval-command', 'set print pretty on', '-ex', 'set x = "a=b"'],
    { ...stdio, commands: ['set print pretty on', 'set x = "a=b"'] },
  ],
])('%j', (argv, plan) => expect(planDap(argv)).toEqual(plan));

it.each([
  [['--sokcet', 'x'], /unknown word "--sokcet"/],
  [['a.out'], /unknown word "a.out"/],
  [['--constructor'], /unknown word/],
  [['--port', '70000'], /"70000" is not a port/],
  [['--port'], /--port needs a value/],
  [['--port', '1', '--socket', 'x'], /one --socket or one --port/],
  [['-i=mi'], /interpreter "mi": savepoint gdb has the others/],
])('%j is refused', (argv, sentence) => expect(() => planDap(argv)).toThrow(sentence));

it.each([
  [['-i=dap'], true],
  [['-q', '--interpreter', 'dap'], true],
  [['-i=mi'], false],
  [['--args', './prog', '-i=dap'], false],
  [['a.out'], false],
])('%j is gdb as an adapter: %j', (argv, is) => expect(asksForDap(argv)).toBe(is));
