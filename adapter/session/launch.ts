/** Starting gdb and the program, attaching, letting go, and the end of both. */

import { judgeAttach, readAttachFacts } from '../../native/base/attach-obstacle';
import { SavepointError, describeError, isFamily, userError } from '../../native/base/errors';
import { type ClientEvents, type GdbClient, LONG_MS, SYMBOLS_MS, UNLIMITED_MS } from '../gdb/client';
import {
  consoleCommand,
  enablePrettyPrinting,
  execRun,
  execStarti,
  fileSymbols,
  gdbExit,
  gdbSet,
  targetAttach,
  targetDetach,
  targetSelect,
} from '../gdb/commands-exec';
import { gdbProcessId, loadProgramFile, monitor } from '../gdb/commands-script';
import { GdbProcess, interruptGroup, interruptStarted } from '../gdb/process';
import { quoteProgramArgument } from '../gdb/quote';
import { baseName } from './breakpoints';
import type { Core } from './core';
import { OutputGroup } from './output-group';
import { ConsoleTerminal, EditorTerminal, type ProgramTerminal } from './program-io';
import type { AttachSettings, AttachTo, CommonSettings, LaunchSettings, SetupCommand } from './settings';
import type { Stop } from './stops';
import type { SymbolReading } from './symbol-reading';

/** Files of the build, as absolute paths; and what the adapter's own words want of each session's gdb. */
export interface Installation {
  readonly savepoint: string;
  readonly script: string;
  readonly setup: readonly SetupCommand[];
}

export type Start =
  { readonly kind: 'launch'; readonly settings: LaunchSettings } | { readonly kind: 'attach'; readonly settings: AttachSettings };

/** Some gdb does not know them, and nothing is lost. */
const OPTIONAL_SETTINGS = [
  'debuginfod enabled off',
  'print sevenbit-strings off',
  'python print-stack none',
  'tcp auto-retry off',
];
const SETTINGS = [
  'mi-async on',
  'confirm off',
  'pagination off',
  'width 0',
  'height 0',
  'breakpoint pending on',
  'print thread-events off',
];

export class Launch {
  start: Start | undefined;
  terminal: ProgramTerminal | undefined;
  private process: GdbProcess | undefined;
  private attachStop: Stop | undefined;
  /** The owner's control socket, when it is one of this machine. */
  controlSocket: string | undefined;
  private pid: number | undefined;
  private over = false;
  private abandoned = false;
  private gdbPid: number | undefined;

  constructor(
    private readonly core: Core,
    private readonly installation: Installation,
    private readonly symbols: SymbolReading,
    private readonly events: ClientEvents,
    private readonly onGdbEnd: (why: string) => void,
  ) {}

  get isOver(): boolean {
    return this.over;
  }

  /** The program's id, as gdb said last. */
  onProcess(pid: number): boolean {
    const isNew = this.pid !== pid;
    this.pid = pid;
    return isNew;
  }

  /** Its process is one of this machine, as far as we know. */
  get isLocal(): boolean {
    return !(this.start?.kind === 'attach' && this.start.settings.to.kind === 'server');
  }

  get processId(): number | undefined {
    return this.pid;
  }

  async prepare(start: Start): Promise<void> {
    this.start = start;
    this.terminal = await this.openTerminal(start);
    const { settings } = start;
    const { gdb, initFiles } = settings;
    this.process = new GdbProcess({ ...this.installation, gdb, initFiles, io: this.terminal.io }, this.core.log, this.events);
    this.core.startedGdb(this.process.client);
    this.terminal.attach();
    void this.process.ended.then((why) => {
      if (!this.over) this.onGdbEnd(why);
    });
    try {
      await this.configure(settings);
      if (start.kind === 'launch') await this.configureLaunch(start.settings);
      else await this.attach(start.settings);
      this.controlSocket = await controlSocketOf(this.core.gdb);
    } catch (error) {
      if (this.abandoned) throw new SavepointError('cancelled', 'cancelled', 'cancelled');
      throw error;
    }
  }

  /** Ends what gdb is working on (reading symbols, a script, a shell, a function of the program that it has called), as ^C does. */
  interruptGdb(): void {
    if (this.gdbPid !== undefined && !this.over) interruptGroup(this.gdbPid);
  }

  /**
   * A ^C may have been lost on what gdb has started: 1. gdb forks for a shell; 2. we signal the child, which still has gdb's handler; 3. it
   * executes the shell, and the signal is forgotten. gdb itself is not disturbed.
   */
  interruptStarted(): void {
    if (this.gdbPid !== undefined && !this.over) interruptStarted(this.gdbPid);
  }

  private async openTerminal(start: Start): Promise<ProgramTerminal> {
    if (start.kind === 'attach') return new ConsoleTerminal(this.core.client);
    const { console, program, cwd } = start.settings;
    if (console === 'internalConsole') return new ConsoleTerminal(this.core.client);
    if (!this.core.conventions.runInTerminal) {
      this.core.tell('This editor opens no terminals for debuggers: the program writes to the debug console.', 'important');
      return new ConsoleTerminal(this.core.client);
    }
    const kind = console === 'integratedTerminal' ? 'integrated' : 'external';
    const { savepoint } = this.installation;
    return await EditorTerminal.open(this.core.client, { kind, title: program, cwd, savepoint }, () => this.interruptProgram());
  }

  /** ^C in the program's terminal, which belongs to another session than the program. */
  private interruptProgram(): void {
    try {
      if (this.pid !== undefined && this.isLocal && this.core.program.kind === 'running') process.kill(this.pid, 'SIGINT');
    } catch {
      // It has ended meanwhile.
    }
  }

  private async configure(settings: CommonSettings): Promise<void> {
    const { gdb } = this.core;
    const optional = OPTIONAL_SETTINGS.map((setting) => gdbSet(gdb, setting).catch(() => {}));
    // First what tells whether this gdb can be used at all.
    const usable = gdbProcessId(gdb).catch(async (error: unknown) => {
      throw (await tooOld(gdb, error)) ?? error;
    });
    const settled = Promise.all([...optional, ...SETTINGS.map((setting) => gdbSet(gdb, setting)), enablePrettyPrinting(gdb)]);
    settled.catch(() => {});
    this.gdbPid = await usable;
    await settled;
    if (settings.debugFileDirectory !== undefined) await gdbSet(gdb, `debug-file-directory ${settings.debugFileDirectory}`);
    for (const [from, to] of settings.sourceFileMap) {
      await consoleCommand(gdb, `set substitute-path ${quoteWord(from)} ${quoteWord(to)}`);
    }
    const output = new OutputGroup(this.core.client, 'Setup commands');
    try {
      for (const command of [...this.installation.setup, ...settings.setupCommands]) {
        await this.core.progress.show(
          `Setup command: ${command.text}`,
          () => this.setUp(command, output),
          () => this.abandon(),
        );
      }
    } finally {
      output.end();
    }
  }

  private async setUp({ text, ignoreFailures }: SetupCommand, output: OutputGroup): Promise<void> {
    try {
      const said = await consoleCommand(this.core.gdb, text, UNLIMITED_MS);
      if (said.text !== '') output.say(said.text);
    } catch (error) {
      if (!isFamily(error, 'peer')) throw error;
      const sentence = `setup command "${text}": ${error.message}`;
      if (!ignoreFailures) throw userError('setup-command', sentence);
      output.say(sentence);
    }
  }

  private async configureLaunch(settings: LaunchSettings): Promise<void> {
    const { gdb } = this.core;
    await this.loadProgram(settings.program, settings.symbolFile);
    // The arguments are words already; a shell (or what plays one for a remote target) would read them once more.
    await gdbSet(gdb, 'startup-with-shell off');
    await gdbSet(gdb, `disable-randomization ${settings.disableASLR ? 'on' : 'off'}`);
    await gdbSet(gdb, `follow-fork-mode ${settings.followFork}`);
    await gdbSet(gdb, `cwd ${settings.cwd}`);
    await consoleCommand(gdb, `set args ${settings.args.map(quoteProgramArgument).join(' ')}`);
    for (const [name, value] of settings.env) {
      await consoleCommand(gdb, value === null ? `unset environment ${name}` : `set environment ${name} = ${value}`);
    }
  }

  private async loadProgram(program: string, symbolFile: string | undefined): Promise<void> {
    const { core } = this;
    await core.progress.show(
      `Reading symbols of ${baseName(program)}`,
      async () => {
        const hasSymbols = await loadProgramFile(core.gdb, program);
        if (symbolFile !== undefined) await fileSymbols(core.gdb, symbolFile);
        else if (!hasSymbols) core.tell(`${program} ${WITHOUT_SYMBOLS}`, 'important');
      },
      () => this.abandon(),
    );
  }

  /** The client does not want to wait for what gdb is doing: the session ends. */
  abandon(): void {
    this.abandoned = true;
    this.interruptGdb();
    void this.end();
  }

  private async attach(settings: AttachSettings): Promise<void> {
    const { core } = this;
    if (settings.program !== undefined) await this.loadProgram(settings.program, settings.symbolFile);
    await core.program.exclusive(async () => {
      core.program.borrowStopped();
      // Before it stands, gdb reads the symbols of its libraries.
      const stop = core.program.expectStop(SYMBOLS_MS);
      const connect = async (): Promise<Stop> => {
        await this.connect(settings.to);
        return await stop;
      };
      try {
        this.attachStop = await core.progress.show(
          `Attaching to ${nameOf(settings.to)}`,
          (reporter) => this.symbols.within(reporter, connect),
          () => this.abandon(),
        );
      } catch (error) {
        core.program.expectNoStop();
        core.program.idle();
        throw whyNotAttached(settings.to, error);
      }
      // The end of gdb is one of the program, too.
      if (this.abandoned) throw userError('attach', 'cancelled');
    });
  }

  private async connect(to: AttachTo): Promise<void> {
    const { gdb } = this.core;
    if (to.kind === 'process') return await targetAttach(gdb, to.pid);
    // Our own owner, whom nothing is asked of then.
    await consoleCommand(gdb, 'disconnect');
    await targetSelect(gdb, to.address);
  }

  /** Everything is configured: the program runs. Returns the stop that the client is to be told of instead. */
  async run(stopOnAttach: boolean): Promise<Stop | undefined> {
    const { start, core } = this;
    if (start?.kind === 'launch') return await this.runLaunched(start.settings);
    if (this.attachStop !== undefined) {
      if (stopOnAttach) return this.attachStop;
      await core.program.exclusive(() => core.program.resumeBorrowed());
    }
    return undefined;
  }

  private async runLaunched({ stopAt }: LaunchSettings): Promise<Stop | undefined> {
    const { program, gdb } = this.core;
    if (stopAt === 'start') return await program.exclusive(() => this.standAtStart());
    await program.start(() => execRun(gdb, stopAt === 'main'));
    return undefined;
  }

  /** In a turn. */
  private async standAtStart(): Promise<Stop> {
    const { program, gdb } = this.core;
    program.borrowStopped();
    const stop = program.expectStop(LONG_MS);
    try {
      await execStarti(gdb);
    } catch (error) {
      program.expectNoStop();
      await stop;
      program.idle();
      throw error;
    }
    return await stop;
  }

  /** Once more from the beginning, with the same settings. Returns the stop that the client is to be told of instead. */
  async runAgain(settings: LaunchSettings, changed: boolean): Promise<Stop | undefined> {
    const { program, gdb } = this.core;
    if (changed) await program.whileStopped(() => this.configureLaunch(settings));
    return await program.exclusive(async () => {
      if (program.kind === 'running') await program.borrow();
      if (settings.stopAt === 'start') return await this.standAtStart();
      await program.runBorrowed(() => execRun(gdb, settings.stopAt === 'main'));
      return undefined;
    });
  }

  /** Lets the program go; `suspended`: it stays where it is, as after ^Z. */
  async letGo(suspended: boolean): Promise<void> {
    const { program, gdb } = this.core;
    if (program.kind !== 'running' && program.kind !== 'stopped' && program.kind !== 'borrowed') return;
    await program.exclusive(async () => {
      if (program.kind === 'running') await program.borrow();
      if (suspended && this.pid !== undefined && this.isLocal) process.kill(this.pid, 'SIGSTOP');
      await targetDetach(gdb);
      program.idle();
    });
  }

  /** Ends the program, also one that was attached to. */
  async kill(): Promise<void> {
    const { program, gdb } = this.core;
    if (program.kind !== 'running' && program.kind !== 'stopped') return;
    await program.exclusive(async () => {
      if (program.kind === 'running') await program.borrow();
      await consoleCommand(gdb, 'kill');
      program.idle();
    });
  }

  /** gdb, the owner and (unless let go before) the program end. */
  async end(): Promise<void> {
    if (this.over) return;
    this.over = true;
    const { process: gdb, core } = this;
    if (gdb !== undefined) {
      if (core.program.kind === 'running') await core.program.interruptForEnd();
      gdbExit(gdb.client).catch(() => {});
      await gdb.endWithin();
    }
    core.program.onGdbEnded();
    this.terminal?.close();
  }

  /** gdb is gone already. */
  ended(): void {
    this.over = true;
    this.core.program.onGdbEnded();
    this.terminal?.close();
  }
}

/** undefined: the server is none of ours, or has no place for one. */
async function controlSocketOf(gdb: GdbClient): Promise<string | undefined> {
  try {
    const { control } = JSON.parse(await monitor(gdb, 'savepoint-bell')) as { control?: string | null };
    return control ?? undefined;
  } catch {
    return undefined;
  }
}

/** Our script's command is not there: it could not be loaded. undefined: it is something else. */
async function tooOld(gdb: GdbClient, error: unknown): Promise<Error | undefined> {
  if (!isFamily(error, 'peer') || error.code !== 'gdb-error' || !error.message.includes('Undefined MI command')) return undefined;
  const { text } = await consoleCommand(gdb, 'show version');
  const [version] = text.split('\n');
  return userError(
    'gdb-version',
    `gdb 12 or later, with Python, is needed; this is ${version}. "gdb" in the configuration names another one.`,
  );
}

const nameOf = (to: AttachTo): string => (to.kind === 'process' ? `process ${to.pid}` : to.address);

const WITHOUT_SYMBOLS =
  'has no debug information: there are no lines and variables. Compile it with -g, or name the file that has it ("symbolFile", "debugFileDirectory").';

const quoteWord = (text: string): string => (/[\s'"\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text);

/** gdb does not hand on why the owner refused, so what is in the way is looked for here; with another server there are its words only. */
function whyNotAttached(to: AttachTo, error: unknown): SavepointError {
  const said = isFamily(error, 'peer') ? error.message : describeError(error);
  if (to.kind === 'server') return userError('attach', `attaching to ${to.address}: ${said}`);
  const { sentence, reason, ...facts } = judgeAttach(readAttachFacts(to.pid));
  const isKnown = reason !== 'protected' || /not permitted|EPERM|permission|failed$/i.test(said);
  if (!isKnown) return userError('attach', `attaching to process ${to.pid}: ${said}`);
  return userError('cannot-attach', `attaching to process ${to.pid}: ${sentence}`, { pid: to.pid, reason, ...facts });
}
