import { CliPlace, fixture, quietGdb } from '../support/cli-session';

const program = fixture('counting-threads');

let place: CliPlace;
beforeEach(() => {
  place = new CliPlace();
});
afterEach(() => place.close());

async function session(...args: string[]) {
  const run = place.startOnTerminal(['gdb', ...quietGdb, '-iex', 'set style enabled off', '-iex', 'set confirm off', ...args]);
  await run.expect(/\(gdb\) $/);
  return run;
}

describe('on a terminal', () => {
  it('the program reads what is typed while it runs', async () => {
    const run = await session('--args', program, 'wait');
    run.say('run');
    await run.expect(/ready\r\n/);
    run.say('go');
    expect(await run.expect(/exited with code 03.*\(gdb\) $/s)).toContain('sum 21, 1 arguments');
    run.say('quit');
    expect((await run.ended).code).toBe(0);
    await place.expectNothingLeft();
  });

  it('^C stops the program once, and it can go on', async () => {
    const run = await session('--args', program, 'wait');
    run.say('run');
    await run.expect(/ready\r\n/);
    run.type('\x03');
    const stopped = await run.expect(/received signal SIGINT.*\(gdb\) $/s);
    expect(stopped.match(/SIGINT/g)).toHaveLength(1);
    run.say('checkpoint');
    const taken = await run.expect(/Checkpoint 1: process \d+, 2 threads.*\(gdb\) $/s);
    run.say('continue');
    await run.expect(/Continuing\.\r\n/);
    // A ^C before the program runs is a "Quit" of gdb's.
    await place.processes.runs(Number(/process (\d+)/.exec(taken)![1]));
    run.type('\x03');
    await run.expect(/received signal SIGINT.*\(gdb\) $/s);
    run.say('restart 1');
    await run.expect(/Switching to checkpoint 1 \(process \d+\).*\(gdb\) $/s);
    run.say('continue');
    await run.expect(/Continuing\.\r\n/);
    run.say('go');
    await run.expect(/sum 21.*exited with code 03.*\(gdb\) $/s);
    run.say('quit');
    await run.ended;
    await place.expectNothingLeft();
  });

  it('^C at the prompt ends nothing', async () => {
    const run = await session(program);
    run.type('\x03');
    await run.expect(/\(gdb\) $/);
    run.say('print 40+2');
    await run.expect(/= 42\r\n\(gdb\) $/);
    run.say('run');
    await run.expect(/exited with code 03.*\(gdb\) $/s);
    run.say('quit');
    await run.ended;
    await place.expectNothingLeft();
  });

  it('^D asks, and ends everything', async () => {
    const run = await session(program);
    run.say('break add_up');
    await run.expect(/Breakpoint 1 at.*\(gdb\) $/s);
    run.say('run');
    await run.expect(/hit Breakpoint 1.*\(gdb\) $/s);
    run.type('\x04');
    expect((await run.ended).code).toBe(0);
    await place.expectNothingLeft();
  });

  it('TAB completes the number of a checkpoint', async () => {
    const run = await session(program);
    run.say('break add_up');
    await run.expect(/Breakpoint 1 at.*\(gdb\) $/s);
    run.say('run');
    await run.expect(/hit Breakpoint 1.*\(gdb\) $/s);
    run.say('checkpoint');
    await run.expect(/Checkpoint 1.*\(gdb\) $/s);
    run.say('complete restart ');
    await run.expect(/restart 1\r\n\(gdb\) $/);
    run.say('complete delete checkpoint ');
    await run.expect(/delete checkpoint 1\r\n\(gdb\) $/);
    run.say('quit');
    await run.ended;
  });
});
