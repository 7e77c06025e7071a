/** What `initialize` promises, and what there is: both ways. */

import { fixture } from '../support/cli-session';
import { DapPlace } from '../support/dap-session';
import { capabilities, makeRoutes } from '../../adapter/session/routes';
import type { Session } from '../../adapter/session/session';

/** DAP's optional requests, each with the capability that promises it (the specification's "Clients should only call this request if"). */
const OPTIONAL: Readonly<Record<string, string>> = {
  breakpointLocations: 'supportsBreakpointLocationsRequest',
  cancel: 'supportsCancelRequest',
  completions: 'supportsCompletionsRequest',
  configurationDone: 'supportsConfigurationDoneRequest',
  dataBreakpointInfo: 'supportsDataBreakpoints',
  disassemble: 'supportsDisassembleRequest',
  exceptionInfo: 'supportsExceptionInfoRequest',
  goto: 'supportsGotoTargetsRequest',
  gotoTargets: 'supportsGotoTargetsRequest',
  loadedSources: 'supportsLoadedSourcesRequest',
  modules: 'supportsModulesRequest',
  readMemory: 'supportsReadMemoryRequest',
  restart: 'supportsRestartRequest',
  restartFrame: 'supportsRestartFrame',
  reverseContinue: 'supportsStepBack',
  setDataBreakpoints: 'supportsDataBreakpoints',
  setExpression: 'supportsSetExpression',
  setFunctionBreakpoints: 'supportsFunctionBreakpoints',
  setInstructionBreakpoints: 'supportsInstructionBreakpoints',
  setVariable: 'supportsSetVariable',
  stepBack: 'supportsStepBack',
  stepInTargets: 'supportsStepInTargetsRequest',
  terminate: 'supportsTerminateRequest',
  terminateThreads: 'supportsTerminateThreadsRequest',
  writeMemory: 'supportsWriteMemoryRequest',
};

/** Every adapter has to answer these. */
const MANDATORY = [
  ...['attach', 'continue', 'disconnect', 'evaluate', 'initialize', 'launch', 'next', 'pause', 'scopes', 'setBreakpoints'],
  ...['setExceptionBreakpoints', 'source', 'stackTrace', 'stepIn', 'stepOut', 'threads', 'variables'],
];

/** Ours; documented in README.md. */
const CUSTOM = ['take', 'list', 'restore', 'drop', 'rename', 'preflight', 'compare'].map((word) => `checkpoint/${word}`);

/** Answered with a reason instead of "there is no such request", and not promised. */
const REFUSED = ['terminateThreads'];

const all: Readonly<Record<string, unknown>> = { ...capabilities };

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

test('every request that is promised is there, and every one that is there is promised', () => {
  const nothing = { core: {}, breakpoints: {} } as unknown as Session;
  const there = Object.keys(makeRoutes(nothing, () => false)).sort();
  const promised = Object.entries(OPTIONAL).flatMap(([request, capability]) => (all[capability] === true ? [request] : []));
  expect(there).toEqual([...MANDATORY, ...promised, ...CUSTOM, ...REFUSED, 'program/input'].sort());
});

test('a client that looks at the wire sees the same', async () => {
  const run = await place.start();
  const told = await run.initialize();
  expect(told).toEqual(JSON.parse(JSON.stringify(capabilities)));
  for (const request of Object.keys(OPTIONAL).filter((name) => name !== 'configurationDone')) {
    const answer = await run.refusal(request, {});
    if (all[OPTIONAL[request]!] === true)
      expect([request, answer]).not.toEqual([request, expect.stringMatching(/there is no request/)]);
    else if (!REFUSED.includes(request)) expect(answer).toMatch(/there is no request/);
  }
  expect(await run.refusal('terminateThreads', { threadIds: [1] })).toMatch(/only end itself/);
  await run.disconnect();
  await place.expectNothingLeft();
});

test('ending threads is not promised; some are refused, all are the program', async () => {
  const run = await place.start();
  const told = await run.initialize();
  expect(told.supportsTerminateThreadsRequest ?? false).toBe(false);
  await run.launch({ program: fixture('gdb-threads'), automaticCheckpoints: false }, () =>
    run.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'work' }] }),
  );
  await run.stopped('function breakpoint');
  const ids = (await run.ask('threads')).threads.map(({ id }: { id: number }) => id);
  expect(ids.length).toBeGreaterThan(1);
  expect(await run.refusal('terminateThreads', { threadIds: ids.slice(1) })).toMatch(/can only end itself/);
  expect(await run.refusal('terminateThreads', {})).toMatch(/can only end itself/);
  expect((await run.ask('threads')).threads).toHaveLength(ids.length);
  await run.ask('terminateThreads', { threadIds: ids });
  await run.event('terminated');
  await run.disconnect();
  await place.expectNothingLeft();
});
