/**
 * `npm run demo`: finds a real bug in a program with three threads, in a real gdb started by `savepoint gdb`.
 *
 * The transcript is what was typed and what gdb answered, less the lines that say nothing here (new threads, symbol loading).
 * Every step is checked; when one does not come out as it should, the whole answer is shown and the exit status is 1.
 */

import { spawn } from 'node:child_process';
import path from 'node:path';
import { compile, dist, Failure, root, runMain, runStep } from './lib.mjs';

/** gdb's prompt for us: what ends an answer. Nothing the program prints looks like it. */
const PROMPT = '\u0001ready\u0002';
const STEP_LIMIT_MS = 60_000;

/** @typedef {{ say?: string, type: string, expect: RegExp, after?: (answer: string) => void }} Step */

/** @type {{ pid?: string, pidAfter?: string, take?: string, culprit?: string }} */
const seen = {};

/** @type {Step[]} */
const steps = [
  {
    say: 'An order book: thread "feed" applies updates, thread "matcher" values the book. It crashes now and then.\nStop early, while all is well, and keep that moment.',
    type: 'tbreak value_of_book',
    expect: /Temporary breakpoint 1 at/,
  },
  { type: 'run', expect: /"matcher" hit Temporary breakpoint 1.*value_of_book/s },
  { type: 'info threads', expect: /(?=.*"feed").*"matcher"/s },
  {
    type: 'checkpoint before trading',
    expect: /^Checkpoint 1\b/m,
    after: (answer) => {
      seen.take = milliseconds(answer);
      seen.pid = /process (\d+)/.exec(answer)?.[1];
    },
  },
  { say: 'On to the crash.', type: 'continue', expect: /"matcher" received signal SIGSEGV.*value_of_book/s },
  { type: 'backtrace 2', expect: /#0 .*value_of_book.*#1 .*matcher/s },
  {
    say: 'The best price level points to nowhere. Who wrote that? Here it is too late to see.',
    type: 'print *book.best',
    expect: /next = 0x/,
  },
  {
    say: 'So back to the moment before; the process is the same one.',
    type: 'restart 1',
    expect: /Switching to checkpoint 1 \(process \d+\).*#0 .*value_of_book/s,
    after: (answer) => {
      seen.pidAfter = /process (\d+)/.exec(answer)?.[1];
      if (seen.pid !== seen.pidAfter) throw new Failure(`demo: process ${seen.pid} became ${seen.pidAfter}`);
    },
  },
  { type: 'print *book.best', expect: /next = 0x[0-9a-f]+ <book\+\d+>/ },
  { type: 'info threads', expect: /(?=.*"feed").*"matcher"/s },
  { say: 'Now let the hardware watch that pointer.', type: 'watch -location book.best->next', expect: /Hardware watchpoint 2/ },
  {
    type: 'continue',
    expect: /"feed" hit Hardware watchpoint 2.*Old value = .*book\+.*New value = .*note_quantity/s,
  },
  { say: 'Caught in the act, in the other thread:', type: 'backtrace 2', expect: /#0 .*note_quantity.*#1 .*feed/s },
  { type: 'list note_quantity,+4', expect: /cursor > kRecent/ },
  {
    say: '`recent` has 7 places; the ring turns back only after place 7 was written to: that is the `next` pointer.',
    type: 'print level.cursor',
    expect: /= 8/,
  },
  { type: 'info checkpoints', expect: /1.*before trading/s },
  { type: 'kill', expect: /killed/ },
];

/** The time that the server itself gave. @param {string} answer */
function milliseconds(answer) {
  return /([\d.]+ ms)/.exec(answer)?.[1];
}

/** One gdb, spoken to line by line. */
class Gdb {
  /** @param {string} program */
  constructor(program) {
    const options = ['-nx', '-q', '-iex', 'set debuginfod enabled off', '-iex', 'set confirm off', '-iex', 'set pagination off'];
    options.push('-iex', 'set width 0', '-iex', 'set style enabled off', '-ex', `set prompt ${PROMPT}`);
    const launcher = path.join(root, 'bin/savepoint');
    this.child = spawn(launcher, ['gdb', ...options, program], { stdio: ['pipe', 'pipe', 'pipe'], cwd: root });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    this.text = '';
    /** @type {(() => void) | undefined} */
    this.wake = undefined;
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        this.text += chunk;
        this.wake?.();
      });
    }
    void this.ended.then(() => this.wake?.());
  }

  /** What was printed up to the next prompt. */
  async answer() {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.wake?.();
    }, STEP_LIMIT_MS);
    try {
      for (;;) {
        const end = this.text.indexOf(PROMPT);
        if (end >= 0) {
          const answer = this.text.slice(0, end);
          this.text = this.text.slice(end + PROMPT.length);
          return answer;
        }
        if (late) throw new Failure(`demo: no answer within ${STEP_LIMIT_MS / 1000} s; so far:\n${this.text}`);
        if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Failure(`demo: gdb ended:\n${this.text}`);
        await new Promise((resolve) => (this.wake = () => resolve(undefined)));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {string} line */
  async ask(line) {
    this.child.stdin.write(`${line}\n`);
    return await this.answer();
  }

  async quit() {
    this.child.stdin.end('quit\n');
    await this.ended;
    return this.child.exitCode;
  }
}

const NOISE = [
  /^\[New Thread /,
  /^\[Thread .* exited\]/,
  /^warning: .*(libthread_db|debuginfo)/,
  /^\[Thread debugging/,
  /^Using host/,
];

/** @param {string} answer */
function trim(answer) {
  const lines = answer.split('\n').filter((line) => line.trim() !== '' && !NOISE.some((pattern) => pattern.test(line)));
  return lines.map((line) => line.trimEnd()).join('\n');
}

async function buildProgram() {
  const source = path.join(root, 'examples/orders/orders.cpp');
  const output = path.join(dist, 'demo/orders');
  const compiler = process.env.CXX || 'c++';
  const flags = ['-g', '-O0', '-std=c++17', '-pthread'];
  await runStep({
    stamp: path.join(dist, 'demo/.orders.stamp'),
    inputs: [source],
    more: [compiler, ...flags].join(' '),
    outputs: [output],
    act: () => compile(compiler, [...flags, source], output),
  });
  return output;
}

await runMain(async () => {
  const program = await buildProgram();
  const shown = path.relative(root, program);
  console.log(`$ savepoint gdb ${shown}`);
  const gdb = new Gdb(program);
  try {
    await gdb.answer();
    for (const { say, type, expect, after } of steps) {
      if (say !== undefined) console.log(`\n# ${say.replaceAll('\n', '\n# ')}`);
      const answer = await gdb.ask(type);
      console.log(`(gdb) ${type}\n${trim(answer)}`);
      if (!expect.test(answer))
        throw new Failure(`demo: \`${type}\` did not answer as expected (${expect}); all it said:\n${answer}`);
      after?.(answer);
    }
    const status = await gdb.quit();
    if (status !== 0) throw new Failure(`demo: gdb ended with status ${status}`);
  } catch (error) {
    gdb.child.kill('SIGTERM');
    await gdb.ended;
    throw error;
  }
  console.log(`
Found: process ${seen.pid} before and after${seen.take === undefined ? '' : `, checkpoint taken in ${seen.take}`}.
Do it yourself: bin/savepoint gdb ${shown}`);
});
