/**
 * gdb's command line, read the way gdb reads it (getopt_long_only: one dash or two, any unambiguous beginning of a name), and
 * rewritten so that gdb debugs through the owner. Pure.
 *
 * What has to be known of it: which words are operands (`prog`, `prog PID`, `prog core`), where `--args` ends the options, which
 * options would make gdb attach by itself (`-p`), and which ask for no debugging at all (`--version`, a core file).
 * Everything else is handed on word for word.
 *
 * Order of events in gdb (gdb manual, "Startup"): init files, -ix/-iex, the program's symbols, then -ex/-x in the order
 * given. So our script comes by -ix and connecting is the first -ex.
 */

/** Behind it all words are the program's. */
export const ENDS_OPTIONS = /^--?(args|no-escape-args)$/;

/** Options that take a value, by the manual and gdb/main.c. */
const WITH_VALUE = new Set([
  'annotate',
  'b',
  'baud',
  'c',
  'cd',
  'command',
  'core',
  'd',
  'D',
  'data-directory',
  'directory',
  'e',
  'early-init-command',
  'early-init-eval-command',
  'eiex',
  'eix',
  'eval-command',
  'ex',
  'exec',
  'i',
  'iex',
  'init-command',
  'init-eval-command',
  'interpreter',
  'ix',
  'l',
  'p',
  'pid',
  's',
  'se',
  'symbols',
  't',
  'tty',
  'x',
]);

const WITHOUT_VALUE = new Set([
  'args',
  'batch',
  'batch-silent',
  'configuration',
  'f',
  'fullname',
  'help',
  'n',
  'nh',
  'no-escape-args',
  'nowindows',
  'nw',
  'nx',
  'q',
  'quiet',
  'r',
  'readnever',
  'readnow',
  'return-child-result',
  'silent',
  'statistics',
  'tui',
  'v',
  'version',
  'w',
  'windows',
  'write',
]);

export type GdbPlan =
  /** gdb runs as it is, without an owner. */
  | { readonly kind: 'plain'; readonly args: readonly string[] }
  | {
      readonly kind: 'debug';
      /** gdb's words without those that the fields below replace. */
      readonly args: readonly string[];
      /** The file that gdb is to read, as typed; gdb may not make anything of it. */
      readonly program?: string;
      /** The process to attach to, as typed. */
      readonly attach?: string;
      /** `--cd`: gdb changes there, and the program starts there. */
      readonly cwd?: string;
      /** `--tty`: the program's terminal. */
      readonly tty?: string;
    };

/** The option's full name, or the word itself when it is none of gdb's or not unique (gdb will say so). */
function fullName(name: string): string {
  if (WITH_VALUE.has(name) || WITHOUT_VALUE.has(name)) return name;
  const candidates = [...WITH_VALUE, ...WITHOUT_VALUE].filter((known) => known.startsWith(name));
  return candidates.length === 1 ? (candidates[0] as string) : name;
}

export function planGdb(argv: readonly string[]): GdbPlan {
  const args: string[] = [];
  let operands = 0;
  let program: string | undefined;
  let attach: string | undefined;
  let cwd: string | undefined;
  let tty: string | undefined;

  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string;
    const option = /^--?([^=-][^=]*)(?:=([^]*))?$/.exec(word);
    if (option === null || word === '-') {
      // `--`: only operands follow; they are looked at below all the same, as in gdb.
      if (word !== '--') operands++;
      if (operands === 1 && word !== '--') program = word;
      if (operands === 2 && word !== '--') {
        if (!/^\d+$/.test(word)) return { kind: 'plain', args: argv };
        attach = word;
        continue;
      }
      args.push(word);
      continue;
    }
    const name = fullName(option[1] as string);
    if (name === 'args' || name === 'no-escape-args') {
      args.push(...argv.slice(index));
      program ??= argv[index + 1];
      break;
    }
    if (name === 'version' || name === 'v' || name === 'help' || name === 'configuration') return { kind: 'plain', args: argv };
    if (!WITH_VALUE.has(name)) {
      args.push(word);
      continue;
    }
    const joined = option[2];
    const value = joined ?? argv[++index];
    if (name === 'core' || name === 'c') {
      // gdb itself takes a number after -c for a process.
      if (value === undefined || !/^\d+$/.test(value)) return { kind: 'plain', args: argv };
      attach = value;
      continue;
    }
    if (name === 'pid' || name === 'p') {
      if (value === undefined) return { kind: 'plain', args: argv };
      attach = value;
      continue;
    }
    if (name === 'tty' || name === 't') {
      tty = value;
      continue;
    }
    if (name === 'cd') cwd = value;
    args.push(word);
    if (joined === undefined && value !== undefined) args.push(value);
  }
  return {
    kind: 'debug',
    args,
    ...(program === undefined ? {} : { program }),
    ...(attach === undefined ? {} : { attach }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(tty === undefined ? {} : { tty }),
  };
}

/** What gdb is really started with. */
export function gdbArguments(plan: Extract<GdbPlan, { kind: 'debug' }>, script: string, socket: string): string[] {
  const attach = plan.attach === undefined ? [] : ['-ex', `attach ${plan.attach}`];
  return ['-ix', script, '-ex', `savepoint-connect ${socket}`, ...attach, ...plan.args];
}
