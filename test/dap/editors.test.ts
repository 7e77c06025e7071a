/**
 * The order in which editors say things, as their sources and documentation have it: what comes before an answer has arrived, what is asked at a
 * stop, how they end. And many of them at one server.
 */

import * as net from 'node:net';
import { type CliRun } from '../support/cli-session';
import { line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

interface Editor {
  readonly initialize: Record<string, unknown>;
  /** Between `initialized` and `configurationDone`. */
  configure(run: DapRun): Promise<unknown>;
  /** Right behind `configurationDone`. */
  after(run: DapRun): Promise<unknown>;
  atStop(run: DapRun, threadId: number): Promise<string[]>;
  end(run: DapRun): Promise<unknown>;
}

const breakpoints = {
  source: { path: source, name: 'dap-basic.c' },
  sourceModified: false,
  breakpoints: [{ line: line('first stop') }],
  lines: [line('first stop')],
};

async function namesAt(run: DapRun, args: object): Promise<string[]> {
  const { stackFrames } = await run.ask('stackTrace', args);
  const { scopes } = await run.ask('scopes', { frameId: stackFrames[0].id });
  const names: string[] = [];
  for (const { variablesReference, expensive } of scopes) {
    if (expensive === true) continue;
    const { variables } = await run.ask('variables', { variablesReference });
    for (const { name } of variables) names.push(name);
  }
  return names;
}

const editors: Readonly<Record<string, Editor>> = {
  'VS Code': {
    initialize: {
      clientID: 'vscode',
      clientName: 'Visual Studio Code',
      adapterID: 'savepoint',
      locale: 'en',
      supportsVariableType: true,
      supportsVariablePaging: true,
      supportsRunInTerminalRequest: true,
      supportsProgressReporting: true,
      supportsInvalidatedEvent: true,
      supportsMemoryEvent: true,
      supportsMemoryReferences: true,
      supportsArgsCanBeInterpretedByShell: true,
      supportsStartDebuggingRequest: true,
      supportsANSIStyling: true,
    },
    configure: (run) =>
      Promise.all([
        run.ask('setBreakpoints', breakpoints),
        run.ask('setFunctionBreakpoints', { breakpoints: [] }),
        run.ask('setInstructionBreakpoints', { breakpoints: [] }),
        run.ask('setDataBreakpoints', { breakpoints: [] }),
        run.ask('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'uncaught' }, { filterId: 'signals' }] }),
      ]),
    after: (run) => run.ask('threads'),
    atStop: async (run, threadId) => {
      await run.ask('threads');
      await run.ask('stackTrace', { threadId, startFrame: 0, levels: 1 });
      const [names] = await Promise.all([
        namesAt(run, { threadId, startFrame: 0, levels: 20 }),
        run.ask('stackTrace', { threadId, startFrame: 1, levels: 19 }),
        run.ask('evaluate', { expression: 'p', context: 'watch', frameId: (await run.top(threadId)).id }),
        run.ask('modules', { startModule: 0, moduleCount: 100 }),
        run.ask('loadedSources'),
      ]);
      return names;
    },
    end: async (run) => {
      await run.ask('terminate', { restart: false });
      await run.event('terminated');
      await run.disconnect({ restart: false });
    },
  },
  'nvim-dap': {
    initialize: {
      clientID: 'neovim',
      clientName: 'neovim',
      adapterID: 'nvim-dap',
      supportsVariableType: true,
      supportsRunInTerminalRequest: true,
      supportsProgressReporting: true,
      supportsStartDebuggingRequest: true,
      locale: 'en_US.UTF-8',
    },
    configure: async (run) => {
      await run.ask('setBreakpoints', breakpoints);
      await run.ask('setExceptionBreakpoints', { filters: ['uncaught', 'signals'] });
    },
    after: async () => {},
    atStop: async (run, threadId) => {
      await run.ask('threads', null);
      return await namesAt(run, { threadId });
    },
    end: async (run) => {
      await run.ask('disconnect', { restart: null, terminateDebuggee: null });
      await run.gone();
    },
  },
  dape: {
    initialize: {
      clientID: 'dape',
      adapterID: 'savepoint',
      supportsRunInTerminalRequest: true,
      supportsProgressReporting: true,
      supportsStartDebuggingRequest: true,
    },
    configure: async (run) => {
      await run.ask('setExceptionBreakpoints', { filters: ['uncaught', 'signals'] });
      await run.ask('setBreakpoints', breakpoints);
      await run.ask('setDataBreakpoints', { breakpoints: [] });
    },
    after: (run) => run.ask('threads'),
    atStop: async (run, threadId) => {
      await run.ask('threads');
      return await namesAt(run, { threadId, levels: 1 });
    },
    end: (run) => run.disconnect({ restart: false, terminateDebuggee: true }),
  },
  Helix: {
    initialize: {
      clientID: 'hx',
      clientName: 'helix',
      adapterID: 'savepoint',
      locale: 'en-us',
      supportsVariableType: true,
      supportsVariablePaging: false,
      supportsRunInTerminalRequest: true,
      supportsMemoryReferences: false,
      supportsProgressReporting: false,
      supportsInvalidatedEvent: false,
    },
    configure: (run) => run.ask('setBreakpoints', { source: { path: source }, breakpoints: breakpoints.breakpoints }),
    after: async () => {},
    atStop: async (run, threadId) => {
      await run.ask('threads');
      return await namesAt(run, { threadId });
    },
    end: (run) => run.disconnect({}),
  },
};

describe.each(Object.entries(editors))('%s', (_, editor) => {
  it('launches, stops, looks, goes back, and ends', async () => {
    const run = await place.start();
    await run.initialize(editor.initialize);
    const launched = run.ask('launch', {
      name: 'x',
      type: 'savepoint',
      request: 'launch',
      program,
      args: ['wait'],
      __sessionId: 'x',
    });
    await run.event('initialized');
    await editor.configure(run);
    await Promise.all([run.ask('configurationDone'), editor.after(run)]);
    await launched;
    const { threadId } = await run.stopped('breakpoint');
    expect(await editor.atStop(run, threadId)).toEqual(expect.arrayContaining(['p', 'numbers', 'ratio']));
    const { checkpoint } = await run.ask('checkpoint/take', { label: 'here' });
    await run.ask('next', { threadId });
    await run.stopped('step');
    await run.ask('checkpoint/restore', { id: checkpoint.id });
    const back = await run.restored();
    expect(await editor.atStop(run, back.threadId)).toContain('p');
    expect(await run.value('p.x', back.threadId)).toBe('1');
    await editor.end(run);
    await place.expectNothingLeft();
  });
});

it('a client that is too early is told, and may try again', async () => {
  const run = await place.start();
  await run.initialize();
  for (const [request, args] of [
    ['continue', { threadId: 1 }],
    ['stackTrace', { threadId: 1 }],
    ['checkpoint/take', {}],
    ['restart', {}],
    ['terminate', {}],
  ] as const) {
    expect([request, await run.refusal(request, args)]).toEqual([
      request,
      expect.stringMatching(/launch or attach first|notStopped|not being run|can be restarted|nothing is being debugged/),
    ]);
  }
  await run.launch({ program }, async () => {
    const [breakpoint] = await run.breakAt(source, [line('first stop')]);
    expect(breakpoint).toMatchObject({ verified: true });
  });
  await run.stopped('breakpoint');
  await run.disconnect();
  await place.expectNothingLeft();
});

describe('many sessions at one server', () => {
  let server: CliRun;

  async function sessions(count: number): Promise<DapRun[]> {
    const socket = `${place.place.directory}/dap.sock`;
    server = place.place.start(['dap', '--socket', socket]);
    await server.expect(/\{"socket".*\n/);
    return await Promise.all(Array.from({ length: count }, () => place.connect(net.connect(socket))));
  }

  it('are debugged beside each other, each with its own program and checkpoints', async () => {
    const runs = await sessions(3);
    await Promise.all(
      runs.map(async (run, i) => {
        await run.initialize();
        await run.launch({ program, args: ['wait', String(i)] }, () => run.breakAt(source, [line('print')]));
        await run.stopped('breakpoint');
        await run.ask('evaluate', { expression: `global_counter = ${100 + i}`, context: 'repl' });
        const { checkpoint } = await run.ask('checkpoint/take', { label: `of ${i}` });
        await run.ask('evaluate', { expression: 'global_counter = 0', context: 'repl' });
        await run.ask('checkpoint/restore', { id: checkpoint.id, saveCurrent: false });
        const back = await run.restored();
        expect(await run.value('global_counter', back.threadId)).toBe(String(100 + i));
        expect((await run.ask('checkpoint/list')).checkpoints.map((one: { label: string }) => one.label)).toContain(`of ${i}`);
      }),
    );
    // One goes without a word; the others do not notice.
    runs[0]!.closeWire();
    for (const run of runs.slice(1)) expect(await run.value('argc', 1)).toBe('3');
    for (const run of runs.slice(1)) {
      await run.disconnect();
    }
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    await place.expectNothingLeft();
  });

  it('end with it when it is killed', async () => {
    const runs = await sessions(2);
    for (const run of runs) {
      await run.initialize();
      await run.launch({ program, args: ['wait'] });
      await run.printed(/1 args/);
    }
    server.child.kill('SIGKILL');
    await server.ended;
    await place.expectNothingLeft();
  });
});
