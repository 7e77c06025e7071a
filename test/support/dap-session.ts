/**
 * An editor over the built adapter: @vscode/debugadapter-testsupport's client, with every event written down. When a test's place closes, an
 * event that the test did not ask for makes it fail, but for those that belong to what it did (dap-expected.ts).
 */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { keepTraffic, seen } from './dap-coverage';
import { type Happened, contradictions, surplus } from './dap-expected';
import { faultsOf } from './dap-schema';
import { CliPlace, root } from './cli-session';

export type DapEvent = DebugProtocol.Event & { body?: Record<string, unknown> };
type Match = (body: any) => boolean;

const LIMIT_MS = 40_000;
const SUCCESS = 'no error: ';
/** Longer messages are not kept. */
const LONG = 1000;
/** Of the program's output. */
const KEPT = 1 << 20;

export interface OutputGroup {
  readonly heading: string;
  readonly folded: boolean;
  readonly lines: string[];
}

export class DapPlace {
  readonly place = new CliPlace();
  private readonly runs: DapRun[] = [];

  /** `uid`: as that user. `without`: as one who lacks a capability (`sys_ptrace`). `words`: for `savepoint`, in the place of `dap`. */
  async start(
    options: { env?: NodeJS.ProcessEnv; strict?: readonly string[]; uid?: number; without?: string; words?: string } = {},
  ): Promise<DapRun> {
    const { uid, without, words } = options;
    if (uid !== undefined) for (const folder of [this.place.directory, this.place.runtime]) fs.chownSync(folder, uid, uid);
    const savepoint = path.join(root, 'bin/savepoint');
    const less = without === undefined ? '' : `setpriv --bounding-set=-${without} --inh-caps=-${without} `;
    const script = `#!/bin/sh\nexec ${less}${savepoint} ${words ?? '"$@"'}\n`;
    const run = new DapRun(this.place.environment(options.env), this.place.directory, options.strict ?? [], undefined, {
      program: without === undefined && words === undefined ? savepoint : this.write('adapter', script, 0o755),
      ...(uid === undefined ? {} : { uid }),
    });
    this.runs.push(run);
    await run.client.start();
    return run;
  }

  /** A session of a server that is there already. */
  async connect(socket: net.Socket): Promise<DapRun> {
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const run = new DapRun(this.place.environment(), this.place.directory, [], socket);
    this.runs.push(run);
    return run;
  }

  /** A program that is being debugged. `set`: what an editor asks between `initialized` and `configurationDone`; `client`: what it can do. */
  async launched(
    args: Record<string, unknown>,
    set: (run: DapRun) => Promise<unknown> = async () => {},
    client: Record<string, unknown> = {},
  ): Promise<DapRun> {
    const run = await this.start();
    await run.initialize(client);
    await run.launch(args, () => set(run));
    return run;
  }

  /** The session ends, and nothing is left of it. */
  async finish(run: DapRun): Promise<void> {
    await run.disconnect();
    await this.expectNothingLeft();
  }

  write(name: string, content: string | Buffer, mode = 0o644): string {
    const file = path.join(this.place.directory, name);
    fs.writeFileSync(file, content, { mode });
    return file;
  }

  async expectNothingLeft(): Promise<void> {
    await this.place.expectNothingLeft();
  }

  async close(): Promise<void> {
    const wrong = this.runs.flatMap((run) => run.wrong());
    for (const run of this.runs) run.report();
    this.place.close();
    await Promise.all(this.runs.map((run) => run.gone()));
    keepTraffic(expect.getState().testPath ?? '');
    expect(wrong).toEqual([]);
  }
}

export class DapRun {
  readonly client: DebugClient;
  /** Events in the order they came; those that a test has asked for are taken out. */
  private readonly arrived: DapEvent[] = [];
  /** Requests and events in their order, what the program prints left out. */
  private readonly happened: Happened[] = [];
  private readonly excused: string[] = [];
  private readonly lookedAt = new WeakSet<DapEvent>();
  private readonly waiting = new Set<() => void>();
  /** Commands by number. */
  private readonly sent = new Map<number, string>();
  private readonly replies = new Map<number, DebugProtocol.Response>();
  /** What the program wrote to the debug console, and what the console said besides. */
  output = '';
  printedBytes = 0;
  private consoleText = '';
  readonly traffic: string[] = [];
  /** What the console was told, but for what the program wrote. */
  private readonly outputs: { readonly output: string; readonly group?: string }[] = [];
  /** Messages that break the protocol. */
  readonly faults: string[] = [];
  terminals: ChildProcess[] = [];
  /** What runInTerminal asked for. */
  readonly terminalRequests: DebugProtocol.RunInTerminalRequestArguments[] = [];
  /** Why this editor opens no terminal; undefined: it does. */
  terminalRefusal: string | undefined;
  private process: ChildProcess | undefined;

  constructor(
    environment: NodeJS.ProcessEnv,
    cwd: string,
    private readonly strict: readonly string[],
    /** To a server's session; undefined: `start` makes an adapter of its own. */
    private readonly socket?: net.Socket,
    { program, uid }: { readonly program: string; readonly uid?: number } = { program: path.join(root, 'bin/savepoint') },
  ) {
    const user = uid === undefined ? {} : { uid, gid: uid };
    this.client = new DebugClient(program, 'dap', 'savepoint', { env: environment, cwd, ...user });
    this.client.defaultTimeout = LIMIT_MS;
    const client = this.client as unknown as {
      dispatch(text: string): void;
      doSend(command: string, args: unknown, reply: unknown): void;
      connect(readable: unknown, writable: unknown): void;
    };
    const dispatch = client.dispatch.bind(client);
    const send = client.doSend.bind(client);
    client.doSend = (command, args, reply) => {
      this.sent.set((this.client as unknown as { sequence: number }).sequence, command);
      this.happened.push({ kind: 'request', command, args: (args ?? {}) as Record<string, unknown> });
      send(command, args, reply);
    };
    client.dispatch = (text) => {
      this.onMessage(JSON.parse(text) as DebugProtocol.ProtocolMessage, text);
      dispatch(text);
    };
    if (socket !== undefined) client.connect(socket, socket);
  }

  /** undefined: a session of a server. */
  get adapter(): ChildProcess {
    this.process ??= (this.client as unknown as { _adapterProcess: ChildProcess })._adapterProcess;
    return this.process;
  }

  private onMessage(message: DebugProtocol.ProtocolMessage, json: string): void {
    this.traffic.push(json.length > 8 * LONG ? `${json.slice(0, 200)}… (${json.length})` : json);
    for (const fault of faultsOf(message)) this.faults.push(fault);
    if (message.type === 'event') {
      const event = message as DapEvent;
      seen.events.add(event.event);
      const said = typeof event.body?.['output'] === 'string' ? event.body['output'] : '';
      if (event.event === 'output' && event.body?.['category'] === 'stdout') this.onOutput(said);
      else if (event.event === 'output') {
        this.consoleText += said;
        this.outputs.push(event.body as { output: string; group?: string });
      }
      if (said.length <= LONG || event.body?.['category'] !== 'stdout') this.arrived.push(event);
      if (event.event !== 'output') this.happened.push({ kind: 'event', event });
    } else if (message.type === 'response') {
      const response = message as DebugProtocol.Response;
      if (this.replies.has(response.request_seq))
        this.arrived.push({ seq: 0, type: 'event', event: `second reply to ${response.command}` });
      this.replies.set(response.request_seq, response);
      if (response.success) seen.answered.add(response.command);
    } else if (message.type === 'request') this.onReverse(message as DebugProtocol.Request);
    this.wake();
  }

  /** runInTerminal: script(1) makes the terminal. */
  private onReverse(request: DebugProtocol.Request): void {
    const asked = request.arguments as DebugProtocol.RunInTerminalRequestArguments;
    this.terminalRequests.push(asked);
    const answer = { seq: 0, type: 'response', request_seq: request.seq, command: request.command };
    if (this.terminalRefusal === undefined) {
      this.openTerminal(asked.args);
      this.answer({ ...answer, success: true, body: {} });
    } else this.answer({ ...answer, success: false, message: this.terminalRefusal });
  }

  private openTerminal(args: readonly string[]): void {
    const command = args.map((word) => `'${word}'`).join(' ');
    const terminal = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'], env: process.env });
    terminal.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.wake();
    });
    this.terminals.push(terminal);
  }

  private answer(response: DebugProtocol.Response): void {
    const json = JSON.stringify(response);
    this.adapter.stdin?.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
  }

  /** Of a flood, the end is enough to look at. */
  private onOutput(text: string): void {
    this.printedBytes += text.length;
    this.output += text;
    if (this.output.length > 4 * KEPT) this.output = this.output.slice(-KEPT);
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  async until<T>(what: string, look: () => T | undefined): Promise<T> {
    const end = Date.now() + LIMIT_MS;
    const timer = setTimeout(() => this.wake(), LIMIT_MS);
    const late = new Error(`${what} did not come`);
    try {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (Date.now() >= end) {
          late.message += `; the last messages:\n${this.traffic.slice(-30).join('\n').slice(-6000)}`;
          throw late;
        }
        await new Promise<void>((resolve) => this.waiting.add(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Requests that have no reply. */
  unanswered(): string[] {
    return [...this.sent].filter(([seq]) => !this.replies.has(seq)).map(([, command]) => command);
  }

  /** `more` replies have come since now. */
  async answered(more: number): Promise<void> {
    const wanted = this.replies.size + more;
    await this.until(`${more} replies`, () => (this.replies.size >= wanted ? true : undefined));
  }

  /** Takes the next event of this name out of the list. */
  async event(name: string, match: Match = () => true): Promise<any> {
    const event = await this.until(`the event "${name}"`, () => {
      const index = this.arrived.findIndex((one) => one.event === name && match(one.body ?? {}));
      return index < 0 ? undefined : this.arrived.splice(index, 1)[0];
    });
    return event.body ?? {};
  }

  async stopped(reason?: string): Promise<any> {
    const body = await this.event('stopped');
    if (reason !== undefined) expect(body).toMatchObject({ reason });
    return body;
  }

  /** A restore of a program that stood: it went on, and stands. The `continued` comes before the reply. */
  async restored(): Promise<any> {
    await this.event('continued');
    return await this.stopped('goto');
  }

  async printed(pattern: RegExp): Promise<void> {
    await this.until(`output ${pattern}`, () => (pattern.test(this.output) ? true : undefined));
  }

  async said(pattern: RegExp): Promise<void> {
    await this.until(`console text ${pattern}`, () => (pattern.test(this.consoleText) ? true : undefined));
    this.seeConsole();
  }

  /** The body of a reply; an error reply rejects with its message. */
  async ask(command: string, args: unknown = {}): Promise<any> {
    return (await this.client.send(command, args)).body ?? {};
  }

  /** The sentence of an error reply. */
  async refusal(command: string, args: unknown = {}): Promise<string> {
    const answer = await this.reply(command, args);
    if (answer !== 'cancelled' && !answer.startsWith(SUCCESS)) seen.refused.add(command);
    return answer;
  }

  /** Whatever is answered: the sentence of an error, or `no error: ` and the body. */
  async reply(command: string, args: unknown = {}): Promise<string> {
    return await this.client.send(command, args).then(
      (response) => `${SUCCESS}${JSON.stringify(response.body)}`,
      (error: Error) => error.message,
    );
  }

  /** The body of an error reply. */
  async refused(command: string, args: unknown = {}): Promise<DebugProtocol.Message> {
    const seq = (this.client as unknown as { sequence: number }).sequence;
    await this.refusal(command, args);
    const { success, body } = this.replies.get(seq)!;
    expect(success).toBe(false);
    return (body as DebugProtocol.ErrorResponse['body']).error!;
  }

  async initialize(more: Record<string, unknown> = {}): Promise<any> {
    return await this.ask('initialize', {
      adapterID: 'savepoint',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
      ...more,
    });
  }

  /** Launches, sets breakpoints by `set`, and lets the program run. */
  async launch(args: Record<string, unknown>, set: () => Promise<unknown> = async () => {}): Promise<void> {
    await this.begin('launch', args, set);
  }

  async begin(
    command: 'launch' | 'attach',
    args: Record<string, unknown>,
    set: () => Promise<unknown> = async () => {},
  ): Promise<void> {
    const started = this.ask(command, args);
    const failed = started.then(() => new Promise<never>(() => {}));
    await Promise.race([this.event('initialized'), failed]);
    await set();
    await this.ask('configurationDone');
    await started;
  }

  async breakAt(
    source: string,
    lines: readonly (number | DebugProtocol.SourceBreakpoint)[],
  ): Promise<DebugProtocol.Breakpoint[]> {
    const breakpoints = lines.map((line) => (typeof line === 'number' ? { line } : line));
    return (await this.ask('setBreakpoints', { source: { path: source }, breakpoints })).breakpoints;
  }

  async top(threadId: number): Promise<DebugProtocol.StackFrame> {
    return (await this.ask('stackTrace', { threadId, startFrame: 0, levels: 1 })).stackFrames[0];
  }

  /** Of an expression in the top frame. */
  async value(expression: string, threadId: number, context = 'watch'): Promise<string> {
    const frame = await this.top(threadId);
    return (await this.ask('evaluate', { expression, frameId: frame.id, context })).result;
  }

  async locals(frameId: number): Promise<Record<string, DebugProtocol.Variable>> {
    const { scopes } = await this.ask('scopes', { frameId });
    return this.children(scopes[0].variablesReference);
  }

  async children(
    variablesReference: number,
    more: Record<string, unknown> = {},
  ): Promise<Record<string, DebugProtocol.Variable>> {
    const { variables } = await this.ask('variables', { variablesReference, ...more });
    return Object.fromEntries((variables as DebugProtocol.Variable[]).map((variable) => [variable.name, variable]));
  }

  /** What the debug console shows as groups, oldest first, and groups that are not as they have to be. */
  groups(): { readonly groups: readonly OutputGroup[]; readonly faults: readonly string[] } {
    const open: OutputGroup[] = [];
    const groups: OutputGroup[] = [];
    const faults: string[] = [];
    for (const { output, group } of this.outputs) {
      if (group === 'end') {
        if (open.pop() === undefined) faults.push('a group was ended that was not begun');
      } else if (group !== undefined) {
        const begun = { heading: output.trimEnd(), folded: group === 'startCollapsed', lines: [] };
        groups.push(begun);
        open.push(begun);
      } else open.at(-1)?.lines.push(output.trimEnd());
    }
    return { groups, faults: [...faults, ...open.map(({ heading }) => `the group "${heading}" was not ended`)] };
  }

  /** Ends the session as an editor does, and the adapter with it. */
  async disconnect(args: Record<string, unknown> = {}): Promise<void> {
    await this.ask('disconnect', args);
    await this.gone();
  }

  /** As an editor that has crashed. */
  closeWire(): void {
    if (this.socket !== undefined) this.socket.destroy();
    else this.adapter.stdin?.end();
  }

  async gone(): Promise<void> {
    const { adapter, socket } = this;
    if (socket !== undefined && !socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    if (adapter === undefined || adapter.exitCode !== null || adapter.signalCode !== null) return;
    await new Promise((resolve) => adapter.once('exit', resolve));
  }

  /** What the debug console said, but for the program's output. Who looks has seen complaints, too. */
  get console(): string {
    this.seeConsole();
    return this.consoleText;
  }

  private seeConsole(): void {
    for (const event of this.arrived) if (event.event === 'output') this.lookedAt.add(event);
  }

  set console(text: string) {
    this.consoleText = text;
  }

  /** Those that no test has asked for yet. */
  events(): readonly DapEvent[] {
    return this.arrived;
  }

  /** They may come or not: why, the test says. */
  mayGet(...names: readonly string[]): void {
    this.excused.push(...names);
  }

  /** What is wrong with what has come: messages that break the protocol, and events that say what cannot be, or that nobody asked for. */
  wrong(): string[] {
    const left = this.arrived.filter((event) => !this.excused.includes(event.event) && !this.lookedAt.has(event));
    return [
      ...this.faults,
      ...this.groups().faults,
      ...contradictions(this.happened),
      ...surplus(this.happened, left, this.strict),
    ];
  }

  report(): void {
    for (const terminal of this.terminals) terminal.kill('SIGKILL');
  }
}
