/**
 * The debug sessions of our type, and what is known of each. What the adapter sends is read where it passes (a tracker), in its order; the
 * list of checkpoints is asked for again whenever the adapter says that it changed.
 */

import * as vscode from 'vscode';
import type {
  CheckpointChanged,
  CheckpointList,
  CompareArguments,
  CompareResult,
  PreflightResult,
  RestoreResult,
  TakeResult,
} from '../../native/control/schema';
import type { Facts } from './advice';
import { showAdvised, showError } from './notify';
import { type Happening, type SessionState, advance, initialState } from './session-state';

export const DEBUG_TYPE = 'savepoint';

/** The part of DAP's messages that is read here. */
interface Message {
  readonly type: string;
  readonly event?: string;
  readonly command?: string;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
  readonly seq?: number;
  readonly request_seq?: number;
  readonly arguments?: unknown;
}

interface BreakpointsArguments {
  readonly source: { readonly path?: string };
  readonly breakpoints?: readonly { readonly line: number }[];
}

/** Reached when all breakpoints are switched off in the editor, which the extension cannot see. */
const BREAKPOINT_LIMIT_MS = 5_000;

const RESUMES = new Set(['continue', 'next', 'stepIn', 'stepOut']);

export class Session {
  state: SessionState = initialState;
  private listing: 'no' | 'asked' | 'asked, and stale' = 'no';
  private readonly stops = new Set<(reached: 'stopped' | 'ended') => void>();
  /** `setBreakpoints` under way, by number. */
  private readonly setting = new Map<number, BreakpointsArguments>();
  private readonly breakpointsSet = new Set<(what: BreakpointsArguments | 'ended') => void>();

  constructor(
    readonly debug: vscode.DebugSession,
    private readonly onChange: () => void,
  ) {}

  apply(happening: Happening): void {
    const before = this.state;
    this.state = advance(before, happening);
    if (this.state !== before) this.onChange();
  }

  /** A message on its way from the editor to the adapter. */
  readRequest({ command, seq, arguments: given }: Message): void {
    if (command === 'setBreakpoints' && seq !== undefined) this.setting.set(seq, given as BreakpointsArguments);
  }

  /** A message on its way from the adapter to the editor. */
  read(message: Message): void {
    if (message.type === 'response') this.readResponse(message);
    else if (message.type === 'event') this.readEvent(message);
  }

  private readResponse({ command, success, message, body, request_seq: seq = 0 }: Message): void {
    if (success === false && (command === 'launch' || command === 'attach')) {
      // What is not for a dialogue of the editor's would be told nowhere.
      const { error } = (body ?? {}) as { error?: { showUser?: boolean; variables?: Facts } };
      if (error?.showUser === false)
        showError('The program is not debugged', message ?? 'the debug adapter does not say why', error.variables);
    }
    const set = this.setting.get(seq);
    if (set !== undefined) {
      this.setting.delete(seq);
      for (const tell of this.breakpointsSet) tell(set);
    }
    if (success !== true || command === undefined) return;
    // It is still to go through the editor's window before `during` ends.
    if (command === 'checkpoint/take') this.apply({ kind: 'recorded', record: (body as TakeResult).checkpoint });
    else if (command === 'launch' || command === 'attach') this.apply({ kind: 'started' });
    else if (RESUMES.has(command)) this.apply({ kind: 'resumed' });
  }

  private readEvent({ event, body }: Message): void {
    switch (event) {
      case 'continued':
        return this.apply({ kind: 'resumed' });
      case 'stopped': {
        const { reason, threadId } = body as { reason: string; threadId?: number };
        this.apply({ kind: 'stopped', reason, ...(threadId === undefined ? {} : { threadId }) });
        this.tellStop('stopped');
        // The entry's checkpoint comes without a word.
        if (this.state.list.checkpoints.length === 0) void this.refresh();
        return;
      }
      case 'output': {
        const { category, output } = body as { category?: string; output: string };
        if (category === 'important') showAdvised(output.trim());
        return;
      }
      case 'terminated':
        return this.end();
      case 'checkpoint/changed': {
        const change = body as CheckpointChanged;
        if (change.reason !== 'lost') void this.refresh();
        this.apply({ kind: 'changed', change });
      }
    }
  }

  end(): void {
    this.apply({ kind: 'ended' });
    this.tellStop('ended');
    for (const tell of this.breakpointsSet) tell('ended');
  }

  /**
   * The adapter has answered the editor's `setBreakpoints` that has this one, or the session has ended. An answer to an earlier one does not
   * count: the editor may just have sent what the user did before. `line` counts from 1. Throws when no such request comes.
   */
  async breakpointSet(file: string, line: number): Promise<void> {
    if (this.state.phase === 'ended') return;
    await new Promise<void>((resolve, reject) => {
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        this.breakpointsSet.delete(look);
        settle();
      };
      const look = (what: BreakpointsArguments | 'ended'): void => {
        const has =
          what === 'ended' || (what.source.path === file && what.breakpoints?.some((one) => one.line === line) === true);
        if (has) done(resolve);
      };
      const timer = setTimeout(
        () => done(() => reject(new Error('the editor sets no breakpoint there; are all breakpoints deactivated?'))),
        BREAKPOINT_LIMIT_MS,
      );
      this.breakpointsSet.add(look);
    });
  }

  private tellStop(reached: 'stopped' | 'ended'): void {
    for (const tell of this.stops) tell(reached);
    this.stops.clear();
  }

  /** What comes next. */
  nextStop(): Promise<'stopped' | 'ended'> {
    return new Promise((resolve) => {
      if (this.state.phase === 'ended') resolve('ended');
      else this.stops.add(resolve);
    });
  }

  async refresh(): Promise<void> {
    if (this.listing !== 'no') {
      this.listing = 'asked, and stale';
      return;
    }
    this.listing = 'asked';
    do {
      // What the adapter tells in one go is one question.
      await Promise.resolve();
      this.listing = 'asked';
      const list = await this.list();
      // One that was made before the last change is not shown: the next is under way.
      if ((this.listing as string) === 'asked') this.apply({ kind: 'listed', list });
    } while ((this.listing as string) === 'asked, and stale');
    this.listing = 'no';
  }

  /** As it is known, when the session is ending or its server has no checkpoints. */
  private async list(): Promise<CheckpointList> {
    try {
      return (await this.debug.customRequest('checkpoint/list')) as CheckpointList;
    } catch {
      return this.state.list;
    }
  }

  // --- requests; what they change is told by events ---

  async take(label?: string): Promise<TakeResult> {
    return await this.during(() => this.debug.customRequest('checkpoint/take', label === undefined ? {} : { label }));
  }

  async restore(id: number): Promise<RestoreResult> {
    return await this.during(() => this.debug.customRequest('checkpoint/restore', { id }));
  }

  async drop(id: number): Promise<void> {
    await this.debug.customRequest('checkpoint/drop', { id });
  }

  async rename(id: number, label: string): Promise<void> {
    await this.debug.customRequest('checkpoint/rename', { id, label });
  }

  async preflight(): Promise<PreflightResult> {
    return (await this.debug.customRequest('checkpoint/preflight')) as PreflightResult;
  }

  async compare(asked: CompareArguments): Promise<CompareResult> {
    return await this.during(() => this.debug.customRequest('checkpoint/compare', asked));
  }

  private async during<T>(work: () => Thenable<unknown>): Promise<T> {
    this.apply({ kind: 'busy', busy: true });
    try {
      return (await work()) as T;
    } finally {
      this.apply({ kind: 'busy', busy: false });
    }
  }
}

export class Sessions implements vscode.Disposable, vscode.DebugAdapterTrackerFactory {
  private readonly known = new Map<string, Session>();
  private readonly changes = new vscode.EventEmitter<void>();
  /** A session has changed, or another one is the active one. */
  readonly onDidChange = this.changes.event;
  private readonly registrations: readonly vscode.Disposable[];

  constructor() {
    this.registrations = [
      this.changes,
      vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, this),
      vscode.debug.onDidTerminateDebugSession((debug) => this.forget(debug)),
      vscode.debug.onDidChangeActiveDebugSession(() => this.changes.fire()),
    ];
  }

  /** The active one, when it is of our type. */
  get active(): Session | undefined {
    const debug = vscode.debug.activeDebugSession;
    return debug?.type === DEBUG_TYPE ? this.known.get(debug.id) : undefined;
  }

  get(id: string): Session | undefined {
    return this.known.get(id);
  }

  createDebugAdapterTracker(debug: vscode.DebugSession): vscode.DebugAdapterTracker {
    const session = new Session(debug, () => this.changes.fire());
    this.known.set(debug.id, session);
    return {
      onWillReceiveMessage: (message: Message) => session.readRequest(message),
      onDidSendMessage: (message: Message) => session.read(message),
      onExit: () => session.end(),
    };
  }

  private forget(debug: vscode.DebugSession): void {
    this.known.get(debug.id)?.end();
    this.known.delete(debug.id);
    this.changes.fire();
  }

  dispose(): void {
    for (const registration of this.registrations) registration.dispose();
  }
}
