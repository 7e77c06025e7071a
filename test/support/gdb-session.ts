/**
 * One gdb, driven by a script on its standard input, connected to one debug server; and the comparison of two such sessions.
 *
 * Every command is echoed (`set trace-commands`), an error does not end the script. What legitimately differs between two runs
 * (process ids, ports, folders, the stack's addresses, the order in which threads are discovered) is normalised.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { debugRegistersFire, warnOfMissingRegisters } from './debug-registers';
import {
  Bystander,
  DebugServer,
  type ServerKind,
  executableOf,
  fixture,
  makeFolder,
  processFields,
  sessionMembers,
  within,
} from './debug-server';

export type Mode = 'remote' | 'extended-remote';

export interface Session {
  readonly program: string;
  readonly args?: readonly string[];
  /** gdb commands. START is `continue` in a remote session, `run` in an extended one; FOLDER a private folder, PROGRAM the
   * program's file. */
  readonly script: string;
  readonly input?: string;
  /** Another program to attach to; it runs from before the session until after it, its process id is BESIDE. */
  readonly beside?: { readonly program: string; readonly args: readonly string[]; readonly ready: RegExp };
  /** Server options before the address. */
  readonly serverArgs?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly sysroot?: 'target:';
  /** When the program's output matches and its first thread has gone to sleep after that, gdb gets SIGINT; each pattern once, in
   * this order. */
  readonly interruptAt?: readonly RegExp[];
  /** Further rules for what differs. */
  readonly alike?: readonly (readonly [RegExp, string])[];
  /** Compare lines in sorted order (threads race). */
  readonly sorted?: boolean;
  /** Leave out the program's own output. */
  readonly silent?: boolean;
}

const SESSION_LIMIT = 50_000;

const preamble = [
  'set confirm off',
  'set pagination off',
  'set width 0',
  'set height 0',
  'set style enabled off',
  'set debuginfod enabled off',
  'set print thread-events off',
];

/** Runs the session against one server; the transcript is normalised. */
export async function runSession(kind: ServerKind, mode: Mode, session: Session): Promise<string> {
  const folder = makeFolder();
  const program = fixture(session.program);
  const args = session.args ?? [];
  const options = ['--once', ...(session.serverArgs ?? []), ...(mode === 'extended-remote' ? ['--multi'] : [])];
  const server = new DebugServer(kind, {
    args: [...options, 'localhost:0', ...(mode === 'remote' ? [program, ...args] : [])],
    input: session.input ?? '',
    ...(session.env === undefined ? {} : { env: session.env }),
    cwd: folder.path,
  });
  const beside = session.beside === undefined ? undefined : new Bystander(fixture(session.beside.program), session.beside.args);
  try {
    if (session.beside !== undefined) await beside!.until(session.beside.ready);
    const port = await server.port();
    const connect = [
      `set sysroot ${session.sysroot ?? '/'}`,
      `target ${mode} localhost:${port}`,
      ...(mode === 'extended-remote'
        ? [`set remote exec-file ${program}`, ...(args.length > 0 ? [`set args ${args.join(' ')}`] : [])]
        : []),
    ];
    const script = session.script
      .replaceAll('START', mode === 'remote' ? 'continue' : 'run')
      .replaceAll('FOLDER', folder.path)
      .replaceAll('BESIDE', String(beside?.pid))
      .replaceAll('PROGRAM', program)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const transcript = await runGdb(
      folder.path,
      program,
      [...preamble, ...connect, 'set trace-commands on', ...script],
      server,
      session.interruptAt ?? [],
    );
    await within(server.ended, 5_000);
    await within(server.closed, 1_000);
    const output = session.silent === true ? '' : `--- output\n${server.output}`;
    const besideOutput = beside === undefined ? '' : `--- beside: ${await beside.finish()}`;
    return normalise(`${transcript}\n${output}\n${besideOutput}`, folder.path, session);
  } finally {
    beside?.kill();
    await server.end();
    folder.remove();
  }
}

/** Both of gdb's outputs go to one file, so that errors stand where they happened. */
async function runGdb(
  folder: string,
  program: string,
  commands: readonly string[],
  server: DebugServer,
  interruptAt: readonly RegExp[],
): Promise<string> {
  const file = path.join(folder, 'transcript');
  const output = fs.openSync(file, 'a');
  const gdb = spawn('gdb', ['-nx', '-q', program], {
    stdio: ['pipe', output, output],
    env: { ...process.env, LC_ALL: 'C', DEBUGINFOD_URLS: '' },
    detached: true,
  });
  fs.closeSync(output);
  const ended = new Promise<boolean>((resolve) => void gdb.once('exit', () => resolve(true)));
  gdb.stdin!.on('error', () => undefined);
  gdb.stdin!.end(`${commands.join('\n')}\n`);
  const interrupting = interruptWhen(gdb, server, program, interruptAt);
  const inTime = await within(ended, SESSION_LIMIT);
  if (!inTime) {
    gdb.kill('SIGKILL');
    await ended;
  }
  await Promise.race([interrupting, server.ended]);
  const text = fs.readFileSync(file, 'latin1');
  return inTime ? text : `${text}\n*** gdb did not end within ${SESSION_LIMIT} ms ***\n`;
}

async function interruptWhen(
  gdb: ChildProcess,
  server: DebugServer,
  program: string,
  patterns: readonly RegExp[],
): Promise<void> {
  for (const pattern of patterns) {
    try {
      await server.until('output', pattern);
      await untilAsleep(server, program);
    } catch {
      return; // The transcript shows what happened instead.
    }
    gdb.kill('SIGINT');
  }
}

/**
 * What a program prints can be read before its write(2) has returned: an interrupt in that moment finds it there, and not where it
 * waits. The kernel tells nobody when a thread falls asleep: it is looked for.
 */
async function untilAsleep(server: DebugServer, program: string): Promise<void> {
  for (let look = 0; look < 500; look++) {
    const pid = sessionMembers(server.pid).find((member) => executableOf(member) === program);
    if (pid !== undefined && processFields(pid)?.[0] === 'S') return;
    await delay(10);
  }
}

/** Lines that tell of moments rather than of facts. */
const passing = [
  /^\[New (Thread|inferior)/,
  /^\[Thread .* exited\]/,
  /^Reading .* from remote target/,
  /^warning: File transfers from remote targets/,
  /^Remote debugging from host/,
];

function normalise(text: string, folder: string, session: Session): string {
  let result = text
    .replaceAll('\r', '')
    // Who evaluates a condition is the server's choice; gdb says nothing when the server has no say in it.
    .replaceAll(/ \((host|target) evals\)/g, '')
    .replaceAll(/\(gdb\) |^>+/gm, '')
    .replaceAll(folder, 'FOLDER')
    .replaceAll(/localhost:\d+/g, 'localhost:PORT')
    // Environment and auxiliary vector, whose length differs, stand at the stack's end; `info registers` repeats an address in decimal.
    .replaceAll(/0x0*7fffff[def][0-9a-f]{5}\b/g, 'STACK')
    .replaceAll(/\b14073748[5-8]\d{6}\b/g, 'STACK');
  for (const [pattern, replacement] of session.alike ?? []) result = result.replaceAll(pattern, replacement);
  result = numberIds(result);
  let lines = result.split('\n').filter((line) => !passing.some((pattern) => pattern.test(line)));
  if (session.sorted === true) lines = lines.sort();
  return lines.join('\n');
}

/** Process and thread ids become P1, P2… in order of appearance. */
function numberIds(text: string): string {
  const names = new Map<string, string>();
  const name = (id: string): string => {
    if (!names.has(id)) names.set(id, `P${names.size + 1}`);
    return names.get(id)!;
  };
  return text
    .replaceAll(/Thread (\d+)\.(\d+)/g, (_, pid: string, tid: string) => `Thread ${name(pid)}.${name(tid)}`)
    .replaceAll(
      /\b(process|PID|pid|LWP)([ =:]+)(\d+)\b/g,
      (_, word: string, gap: string, id: string) => `${word}${gap}${name(id)}`,
    )
    .replaceAll(/(^\+attach |\/proc\/)(\d+)\b/gm, (_, word: string, id: string) => `${word}${name(id)}`);
}

/**
 * Both transcripts, made at the same time. With PARITY_SUBJECT=gdbserver gdbserver is compared with itself, which shows whether a
 * difference is the script's own restlessness.
 */
export async function runBoth(mode: Mode, session: Session): Promise<{ ours: string; theirs: string }> {
  const subject = process.env['PARITY_SUBJECT'] === 'gdbserver' ? 'gdbserver' : 'savepoint';
  const [ours, theirs] = await Promise.all([runSession(subject, mode, session), runSession('gdbserver', mode, session)]);
  return { ours, theirs };
}

export interface ParityCase extends Session {
  readonly modes?: readonly Mode[];
  /** What the transcript must show to be a proof at all. */
  readonly must: RegExp;
  /**
   * The session needs debug registers that fire. Where they do not, gdbserver misses what it watches and is no yardstick: then our own
   * transcript must show these, in this order.
   */
  readonly withoutRegisters?: readonly RegExp[];
}

/** One test per session and mode. */
export function describeParity(title: string, cases: Readonly<Record<string, ParityCase>>): void {
  describe(title, () => {
    for (const [name, session] of Object.entries(cases)) {
      for (const mode of session.modes ?? (['remote', 'extended-remote'] as const)) {
        test(
          `${name} (${mode})`,
          async () => {
            if (session.withoutRegisters !== undefined && !debugRegistersFire()) {
              warnOfMissingRegisters(`"${name}" is not compared with gdbserver`);
              const alone = await runSession('savepoint', mode, session);
              keep(`${name} (${mode})`, alone, '');
              expectInOrder(alone, session.withoutRegisters);
              return;
            }
            const { ours, theirs } = await runBoth(mode, session);
            keep(`${name} (${mode})`, ours, theirs);
            expect(theirs).toMatch(session.must);
            expect(ours).toBe(theirs);
          },
          2 * SESSION_LIMIT,
        );
      }
    }
  });
}

function expectInOrder(transcript: string, patterns: readonly RegExp[]): void {
  let rest = transcript;
  for (const pattern of patterns) {
    const match = pattern.exec(rest);
    // Shows the pattern and the rest of the transcript in which it is missing.
    if (match === null) expect(rest).toMatch(pattern);
    else rest = rest.slice(match.index + match[0].length);
  }
}

/** PARITY_KEEP=FOLDER writes all transcripts there. */
function keep(name: string, ours: string, theirs: string): void {
  const folder = process.env['PARITY_KEEP'];
  if (folder === undefined) return;
  const file = path.join(folder, name.replaceAll(/[^\w()-]+/g, '-'));
  fs.writeFileSync(`${file}.ours`, ours);
  fs.writeFileSync(`${file}.theirs`, theirs);
}
