/** Editors that are set up for `gdb -i=dap` name savepoint in its place, with gdb's own words. */

import { line, program, source } from '../support/dap-basic';
import { DapPlace } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

it.each(['-i=dap', 'gdb -q --interpreter=dap', 'dap'])('savepoint %s, with commands for the beginning', async (words) => {
  const commands = `-iex 'set print elements 3' --eval-command 'echo from the words\\n' -ex 'bogus command'`;
  const run = await place.start({ words: `${words} ${commands}` });
  await run.initialize();
  await run.launch({ program, setupCommands: ['echo from launch\\n'] }, () =>
    run.ask('setBreakpoints', { source: { path: source }, breakpoints: [{ line: line('first stop') }] }),
  );
  const { threadId } = await run.stopped('breakpoint');
  await run.said(/from the words[^]*bogus command[^]*from launch/);
  expect(await run.value('numbers', threadId)).toMatch(/\.\.\./);
  await run.ask('checkpoint/take', {});
  await place.finish(run);
});
