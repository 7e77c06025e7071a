/** What of memory is looked at is read again when it may have changed: the client is told by the reference that it has read. */

import { launching, line, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

const launched = launching(() => place);

interface Looking {
  readonly run: DapRun;
  readonly frameId: number;
  readonly view: string;
}

/** With a memory view of `bytes` open: 16 bytes from its 4th on, read in two pieces. */
async function looking(client: Record<string, unknown> = { supportsMemoryEvent: true }): Promise<Looking> {
  const run = await launched({}, (one) => one.breakAt(source, [line('print')]), client);
  const { threadId } = await run.stopped('breakpoint');
  const frameId = (await run.top(threadId)).id;
  const view = /0x[0-9a-f]+/.exec(await run.value('&bytes', threadId))![0];
  for (const offset of [4, 12]) await run.ask('readMemory', { memoryReference: view, offset, count: 8 });
  return { run, frameId, view };
}

const changes: readonly (readonly [string, (looking: Looking) => Promise<unknown>])[] = [
  [
    'a variable is set',
    async ({ run, frameId }) => {
      const { scopes } = await run.ask('scopes', { frameId });
      return await run.ask('setVariable', { variablesReference: scopes[0].variablesReference, name: 'argc', value: '5' });
    },
  ],
  ['an expression is set', ({ run, frameId }) => run.ask('setExpression', { expression: 'bytes[6]', value: "'o'", frameId })],
  [
    'an assignment is typed',
    ({ run, frameId }) => run.ask('evaluate', { expression: "bytes[6] = 'o'", context: 'repl', frameId }),
  ],
  ['a command is typed', ({ run }) => run.ask('evaluate', { expression: "-exec set var bytes[6] = 'o'", context: 'repl' })],
];

it.each(changes)('%s: all that was read is told, once', async (_, change) => {
  const here = await looking();
  await change(here);
  expect(await here.run.event('memory')).toEqual({ memoryReference: here.view, offset: 4, count: 16 });
  await place.finish(here.run);
});

it.each(changes)('%s: a client that does not want it hears nothing', async (_, change) => {
  const here = await looking({});
  await change(here);
  await place.finish(here.run);
});

it('what changes nothing is told nothing of', async () => {
  const { run, frameId } = await looking();
  for (const context of ['repl', 'watch', 'hover']) await run.ask('evaluate', { expression: 'bytes[6] == 1', context, frameId });
  await run.ask('evaluate', { expression: '-exec info threads', context: 'repl' });
  await place.finish(run);
});

it('what is written is told to its own view, and to others as far as they meet it', async () => {
  const { run, view } = await looking();
  const other = `0x${(BigInt(view) + 18n).toString(16)}`;
  await run.ask('readMemory', { memoryReference: other, offset: -8, count: 16 });
  const data = Buffer.from('four').toString('base64');
  await run.ask('writeMemory', { memoryReference: view, offset: 18, data });
  expect(await run.event('memory')).toEqual({ memoryReference: view, offset: 18, count: 4 });
  expect(await run.event('memory')).toEqual({ memoryReference: other, offset: 0, count: 4 });
  // Of the first view nothing is looked at there.
  await run.ask('writeMemory', { memoryReference: other, offset: 4, data });
  expect(await run.event('memory')).toEqual({ memoryReference: other, offset: 4, count: 4 });
  await run.ask('writeMemory', { memoryReference: other, offset: 0, data });
  expect(await run.event('memory')).toEqual({ memoryReference: other, offset: 0, count: 4 });
  expect(await run.event('memory')).toEqual({ memoryReference: view, offset: 18, count: 2 });
  await place.finish(run);
});
