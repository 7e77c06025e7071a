/** The table of requests: DAP's names, what each does, and what `initialize` says of it. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { bug, refused, userError } from '../../native/base/errors';
import type {
  CompareArguments,
  DropArguments,
  RenameArguments,
  RestoreArguments,
  TakeArguments,
} from '../../native/control/schema';
import type { RequestContext, Route, Routes } from '../dap/connection';
import { bytesInfo } from './data-bytes';
import { mayChange } from './expressions';
import { exceptionFilters } from './exceptions';
import type { Session } from './session';
import type { Stop } from './stops';
import { type LaunchSettings, readAttach, readLaunch } from './settings';
import { breakInsert } from '../gdb/commands-break';
import { execContinue } from '../gdb/commands-exec';

type Raw = Readonly<Record<string, unknown>>;

export const capabilities: DebugProtocol.Capabilities & { readonly supportsCheckpoints: true } = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsInstructionBreakpoints: true,
  supportsDataBreakpoints: true,
  supportsDataBreakpointBytes: true,
  supportsExceptionInfoRequest: true,
  supportsExceptionFilterOptions: true,
  supportsExceptionOptions: false,
  exceptionBreakpointFilters: [...exceptionFilters],
  supportsEvaluateForHovers: true,
  supportsClipboardContext: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsValueFormattingOptions: true,
  supportsCompletionsRequest: true,
  completionTriggerCharacters: [' ', '.'],
  supportsGotoTargetsRequest: true,
  supportsStepInTargetsRequest: true,
  supportsBreakpointLocationsRequest: true,
  supportsSteppingGranularity: true,
  supportsStepBack: true,
  supportsRestartFrame: true,
  supportsRestartRequest: true,
  supportsTerminateRequest: true,
  supportTerminateDebuggee: true,
  supportSuspendDebuggee: true,
  supportsDelayedStackTraceLoading: true,
  supportsReadMemoryRequest: true,
  supportsWriteMemoryRequest: true,
  supportsDisassembleRequest: true,
  supportsModulesRequest: true,
  supportsLoadedSourcesRequest: true,
  supportsCancelRequest: true,
  supportsCheckpoints: true,
};

/** `cancel`: of another request, by its number. */
export function makeRoutes(session: Session, cancel: (seq: number) => boolean): Routes {
  const { core, breakpoints, exceptions, execution, variables, memory, files, checkpoints, launch } = session;
  const plain = <T>(run: (args: T, context: RequestContext) => unknown): Route => ({ run: run as Route['run'] });
  /** What it causes comes after its reply. */
  const resuming = <T>(run: (args: T, context: RequestContext) => unknown): Route => ({
    run: run as Route['run'],
    eventsAfter: true,
  });
  let configured: () => void = () => {};
  const configurationDone = new Promise<void>((resolve) => (configured = resolve));

  return {
    initialize: plain((args: DebugProtocol.InitializeRequestArguments, context) => {
      core.conventions = {
        lineBase: args.linesStartAt1 === false ? 0 : 1,
        columnBase: args.columnsStartAt1 === false ? 0 : 1,
        uris: args.pathFormat === 'uri',
        runInTerminal: args.supportsRunInTerminalRequest === true,
        memoryEvent: args.supportsMemoryEvent === true,
        invalidatedEvent: args.supportsInvalidatedEvent === true,
        progress: args.supportsProgressReporting === true,
      };
      if (takesUsForGdb(args)) context.afterReply(() => session.tellInitialized());
      return capabilities;
    }),
    launch: plain(async (args: Raw, context) => {
      context.signal.addEventListener('abort', () => launch.abandon());
      await session.prepare({ kind: 'launch', settings: readLaunch(args) });
      await configurationDone;
      await session.run(false);
    }),
    attach: plain(async (args: Raw, context) => {
      context.signal.addEventListener('abort', () => launch.abandon());
      await session.prepare({ kind: 'attach', settings: readAttach(args) });
      await configurationDone;
      await session.run(args['stopAtEntry'] === true || args['stopOnEntry'] === true);
    }),
    configurationDone: plain(() => configured()),

    setBreakpoints: plain((args: DebugProtocol.SetBreakpointsArguments) => breakpoints.setSource(args)),
    setFunctionBreakpoints: plain((args: DebugProtocol.SetFunctionBreakpointsArguments) => breakpoints.setFunctions(args)),
    setInstructionBreakpoints: plain((args: DebugProtocol.SetInstructionBreakpointsArguments) =>
      breakpoints.setInstructions(args),
    ),
    setDataBreakpoints: plain((args: DebugProtocol.SetDataBreakpointsArguments) => breakpoints.setData(args)),
    dataBreakpointInfo: plain(async (args: DebugProtocol.DataBreakpointInfoArguments) => {
      core.program.requireStopped();
      if (args.asAddress === true) return bytesInfo(args.name, args.bytes);
      if (args.variablesReference === undefined || args.variablesReference === 0) {
        const frame = args.frameId === undefined ? undefined : core.frames.get(args.frameId);
        return await variables.dataInfo(args.name, frame);
      }
      const { expression, where } = await variables.expressionOf(args.variablesReference, args.name);
      return await variables.dataInfo(expression, where);
    }),
    breakpointLocations: plain((args: DebugProtocol.BreakpointLocationsArguments) => breakpoints.locations(args)),
    setExceptionBreakpoints: plain((args: DebugProtocol.SetExceptionBreakpointsArguments) => exceptions.set(args)),
    exceptionInfo: plain(() => exceptions.info()),

    threads: plain(() => session.threads.list()),
    stackTrace: plain((args: DebugProtocol.StackTraceArguments) => session.stack.trace(args)),
    scopes: plain((args: DebugProtocol.ScopesArguments) => variables.scopes(args.frameId)),
    variables: plain((args: DebugProtocol.VariablesArguments) => variables.list(args)),
    setVariable: plain(async (args: DebugProtocol.SetVariableArguments) => {
      const body = await variables.set(args);
      checkpoints.onChanged();
      memory.tellChanged();
      return body;
    }),
    setExpression: plain(async (args: DebugProtocol.SetExpressionArguments) => {
      core.program.requireStopped();
      const where = args.frameId === undefined ? undefined : core.frames.get(args.frameId);
      const body = await variables.assign(args.expression, args.value, where);
      checkpoints.onChanged();
      memory.tellChanged();
      return body;
    }),
    evaluate: plain(async (args: DebugProtocol.EvaluateArguments, context) => {
      const isTyped = args.context === 'repl';
      const scope = { signal: context.signal, isTyped };
      const evaluated = core.gdb.interruptible(scope, () => session.evaluation.evaluate(args));
      if (args.context === 'hover' || !mayChange(args.expression)) return await evaluated;
      // What is watched is evaluated again when variables are void: with a call in it, for ever.
      try {
        const body = await evaluated;
        if (isTyped) {
          session.onChanged();
          memory.tellChanged();
        } else checkpoints.onChanged();
        return body;
      } catch (error) {
        // A call that was ended may have left its frame, and gdb need not say so by a stop.
        if (isTyped && context.signal.aborted) session.onChanged(['all']);
        throw error;
      }
    }),
    completions: plain((args: DebugProtocol.CompletionsArguments) => session.evaluation.completions(args)),

    continue: resuming(() => execution.continue()),
    next: resuming((args: DebugProtocol.NextArguments) => execution.next(args)),
    stepIn: resuming((args: DebugProtocol.StepInArguments) => execution.stepIn(args)),
    stepInTargets: plain((args: DebugProtocol.StepInTargetsArguments) => execution.stepInTargets(args)),
    stepOut: resuming((args: DebugProtocol.StepOutArguments) => execution.stepOut(args)),
    pause: resuming(() => execution.pause()),
    gotoTargets: plain((args: DebugProtocol.GotoTargetsArguments) => execution.gotoTargets(args)),
    goto: resuming((args: DebugProtocol.GotoArguments) => execution.goto(args)),
    stepBack: resuming(() => checkpoints.stepBack()),
    reverseContinue: resuming(() => checkpoints.reverseContinue()),
    restartFrame: resuming((args: DebugProtocol.RestartFrameArguments) => session.restartFrame.restart(args.frameId)),
    restart: resuming((args: { readonly arguments?: Raw }) => restart(session, args.arguments)),

    readMemory: plain((args: DebugProtocol.ReadMemoryArguments) => memory.read(args)),
    writeMemory: plain((args: DebugProtocol.WriteMemoryArguments) => memory.write(args)),
    disassemble: plain((args: DebugProtocol.DisassembleArguments) => memory.disassemble(args)),
    modules: plain((args: DebugProtocol.ModulesArguments) => files.list(args)),
    loadedSources: plain(() => files.sources()),
    source: plain((args: DebugProtocol.SourceArguments) => files.source(args)),

    cancel: plain((args: DebugProtocol.CancelArguments) => {
      if (args.requestId !== undefined) cancel(args.requestId);
      if (args.progressId !== undefined) core.progress.cancel(args.progressId);
    }),
    terminateThreads: plain((args: DebugProtocol.TerminateThreadsArguments, context) => {
      if (!session.threads.areAll(args.threadIds ?? []))
        throw refused(
          'terminate-threads',
          'Terminate Thread',
          'a thread of a native program can only end itself, because of what it holds; end the program, or jump to the end of its function',
        );
      context.afterReply(() => void session.terminate());
    }),
    terminate: plain((_: unknown, context) => {
      if (launch.start === undefined) throw userError('not-started', 'nothing is being debugged');
      context.afterReply(() => void session.terminate());
    }),
    disconnect: plain(async (args: DebugProtocol.DisconnectArguments, context) => {
      context.afterReply(() => session.over());
      await session.disconnect(args.terminateDebuggee, args.suspendDebuggee === true);
    }),

    'checkpoint/take': plain((args: TakeArguments, context) => checkpoints.take(args, context.signal)),
    'checkpoint/list': plain(() => checkpoints.list()),
    // Not a request that every client takes for a resume: without `continued` the stop before stays in what VS Code shows.
    'checkpoint/restore': resuming((args: RestoreArguments, context) =>
      checkpoints.restore(args, () => context.beforeReply('continued', session.allContinued)),
    ),
    'checkpoint/drop': plain((args: DropArguments) => checkpoints.drop(args)),
    'checkpoint/rename': plain((args: RenameArguments) => checkpoints.rename(args)),
    'checkpoint/preflight': plain(() => checkpoints.preflight()),
    'checkpoint/compare': plain((args: CompareArguments) => session.compare.compare(args)),
    ...testFaults(),
    'program/input': plain((args: { readonly text: string }) => {
      if (launch.terminal?.write(args.text) !== true) throw userError('no-input', 'the program reads from its own terminal');
    }),
  };
}

/**
 * Set up for gdb's own adapter, which says `initialized` at once: some then launch only after `configurationDone` (dape's `defer-launch-attach`, gdb bug
 * 32090). Who launches before that gets along with it, too.
 */
function takesUsForGdb({ adapterID, clientID }: DebugProtocol.InitializeRequestArguments): boolean {
  return /^gdb$/i.test(adapterID) || (clientID === 'dape' && adapterID === '');
}

/** For tests (SAVEPOINT_TEST_FAULTS): a fault of ours, in a request and outside one. */
function testFaults(): Routes {
  if ((process.env['SAVEPOINT_TEST_FAULTS'] ?? '') === '') return {};
  return {
    'savepoint/fault': {
      run: (args: { readonly where?: unknown }) => {
        if (args.where === 'request') throw bug('a fault asked for by a test');
        setImmediate(() => {
          throw bug('a fault asked for by a test');
        });
      },
    },
  };
}

/** What a program's run depends on; when none of it has changed, its entry checkpoint is a new run. */
const RUN_SETTINGS = ['program', 'args', 'cwd', 'disableASLR', 'followFork'] as const;

async function restart(session: Session, given: Raw | undefined): Promise<void> {
  const { launch, checkpoints, core } = session;
  const { start } = launch;
  if (start?.kind !== 'launch' || launch.isOver)
    throw userError('restart', 'only a program that was launched here can be restarted');
  const settings: LaunchSettings = given === undefined || given['program'] === undefined ? start.settings : readLaunch(given);
  const describe = (one: LaunchSettings): string => JSON.stringify([RUN_SETTINGS.map((name) => one[name]), [...one.env]]);
  const changed = describe(settings) !== describe(start.settings);
  launch.start = { kind: 'launch', settings };
  checkpoints.limits = settings.automatic;
  let stands: Stop | undefined = changed ? undefined : await checkpoints.returnToEntry();
  if (stands === undefined) stands = await launch.runAgain(settings, changed);
  else if (settings.stopAt !== 'start') {
    stands = undefined;
    await core.program.resume('continue', async () => {
      if (settings.stopAt === 'main') await stopAtMain(session);
      await execContinue(core.gdb);
    });
  }
  core.client.send('continued', session.allContinued);
  if (stands?.kind === 'stop') session.tellEntry(stands);
}

/** As gdb's `start` does: Go's first function has another name. */
async function stopAtMain({ core, breakpoints }: Session): Promise<void> {
  await breakpoints.byScript(async () => {
    for (const name of ['main.main', 'main']) {
      const found = await breakInsert(core.gdb, { kind: 'function', name }, { temporary: true, mustExist: true }).catch(
        () => undefined,
      );
      if (found !== undefined) return;
    }
  });
}
