/**
 * The order in which editors say things, as their sources and documentation have it: what comes before an answer has arrived, what is asked at a
 * stop, how they end.
 */

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
  // microsoft/vscode: src/vs/workbench/contrib/debug/browser/debugSession.ts, rawDebugSession.ts
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
  // mfussenegger/nvim-dap: lua/dap/session.lua
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
  // svaante/dape: dape.el
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
  // zed-industries/zed: crates/project/src/debugger/session.rs (initialize_sequence, shutdown), dap_command.rs
  Zed: {
    initialize: {
      clientID: 'zed',
      clientName: 'Zed',
      adapterID: 'savepoint',
      locale: 'en-US',
      supportsVariableType: true,
      supportsVariablePaging: false,
      supportsRunInTerminalRequest: true,
      supportsMemoryReferences: true,
      supportsProgressReporting: false,
      supportsInvalidatedEvent: false,
      supportsMemoryEvent: false,
      supportsArgsCanBeInterpretedByShell: false,
      supportsStartDebuggingRequest: true,
      supportsANSIStyling: false,
    },
    configure: async (run) => {
      await run.ask('setBreakpoints', breakpoints);
      const filterOptions = [{ filterId: 'uncaught' }, { filterId: 'signals' }];
      await run.ask('setExceptionBreakpoints', { filters: [], filterOptions });
    },
    after: async () => {},
    atStop: async (run, threadId) => {
      await run.ask('threads');
      const [names] = await Promise.all([namesAt(run, { threadId }), run.ask('modules', {}), run.ask('loadedSources', {})]);
      return names;
    },
    end: async (run) => {
      await run.ask('terminate', { restart: false });
      await run.event('terminated');
      await run.disconnect({ restart: false, terminateDebuggee: true, suspendDebuggee: false });
    },
  },
  // helix-editor/helix: helix-dap/src/client.rs, helix-view/src/handlers/dap.rs
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

/** Set up for `gdb -i=dap`, with the keys of that. */
describe.each([
  ['dape', { clientID: 'dape', adapterID: null }, 'after configurationDone'],
  ['nvim-dap', { clientID: 'neovim', adapterID: 'gdb' }, 'at once'],
  ['Zed', { clientID: 'zed', adapterID: 'GDB' }, 'at once'],
])('%s with its configuration for gdb', (_, client, when) => {
  const begin = async (run: DapRun, args: Record<string, unknown>, set: () => Promise<unknown>): Promise<void> => {
    await run.initialize(client);
    const launch = (): Promise<unknown> => run.ask('launch', { program, args: ['wait'], cwd: null, ...args });
    const launched = when === 'at once' ? launch() : undefined;
    await run.event('initialized');
    await set();
    await run.ask('configurationDone');
    await (launched ?? launch());
  };
  const pending = async (run: DapRun): Promise<void> => {
    for (const { event } of [...run.events()]) if (event === 'breakpoint') await run.event('breakpoint');
  };

  it('stops at main when that is asked for, and at breakpoints', async () => {
    const run = await place.start();
    await begin(run, { stopAtBeginningOfMainSubprogram: true }, () => editors['dape']!.configure(run));
    const { threadId } = await run.stopped('entry');
    expect((await run.top(threadId)).name).toBe('main');
    await run.ask('continue', { threadId });
    await run.stopped('breakpoint');
    expect(await run.value('p.x', threadId)).toBe('1');
    await pending(run);
    // Told once.
    expect(run.traffic.filter((text) => text.includes('"event":"initialized"'))).toHaveLength(1);
    await place.finish(run);
  });

  it('does not stop by itself when that is not wanted', async () => {
    const run = await place.start();
    const flags = { stopAtBeginningOfMainSubprogram: false, stopOnEntry: false };
    await begin(run, flags, () => editors['dape']!.configure(run));
    await run.stopped('breakpoint');
    await pending(run);
    await place.finish(run);
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
