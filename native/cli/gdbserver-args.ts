/**
 * gdbserver's own command line, so that a front end that starts `gdbserver …` can start `savepoint gdbserver …` with the same words. Pure.
 *
 *   [OPTIONS] COMM PROG [ARGS...]      [OPTIONS] --attach COMM PID      [OPTIONS] --multi COMM
 */

import { userError } from '../base/errors';
import { parseListen, type ListenAt } from './listen-option';

/** Where gdb connects. */
export type Comm =
  /** No host: gdbserver listens on every interface then; which one we take is the server's decision. Port 0: any free one. */
  | { readonly kind: 'tcp'; readonly host?: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'stdio' };

export type GdbserverMode =
  | { readonly kind: 'launch'; readonly program: string; readonly args: readonly string[] }
  | { readonly kind: 'attach'; readonly pid: number }
  /** No program yet: gdb says `run` or `attach`, and the server stays after it. */
  | { readonly kind: 'multi' };

export interface GdbserverServe {
  readonly kind: 'serve';
  readonly comm: Comm;
  readonly mode: GdbserverMode;
  /** `--multi` given: the server outlives the connection (also with a program). */
  readonly multi: boolean;
  /** End after the first connection. */
  readonly once: boolean;
  readonly debug: boolean;
  readonly disableRandomization: boolean;
  readonly wrapper?: readonly string[];
  /** Ours: the control surface on TCP. */
  readonly listen?: ListenAt;
}

export type GdbserverPlan = { readonly kind: 'help' } | { readonly kind: 'version' } | GdbserverServe;

export function planGdbserver(argv: readonly string[]): GdbserverPlan {
  let attach = false;
  let multi = false;
  let once = false;
  let debug = false;
  let disableRandomization = true;
  let wrapper: readonly string[] | undefined;
  let listen: string | undefined;
  const origins: string[] = [];

  let index = 0;
  for (; index < argv.length; index++) {
    const word = argv[index] as string;
    if (!word.startsWith('-') || word === '-') break;
    if (word === '--wrapper') {
      const end = argv.indexOf('--', index);
      if (end < 0 || end === index + 1)
        throw userError('gdbserver-wrapper', 'gdbserver: --wrapper needs a command and then "--".');
      wrapper = argv.slice(index + 1, end);
      index = end;
    } else if (word === '--listen') listen = valueOf(argv, ++index, word);
    else if (word === '--allow-origin') origins.push(valueOf(argv, ++index, word));
    else if (word === '--attach') attach = true;
    else if (word === '--multi') multi = true;
    else if (word === '--once') once = true;
    else if (/^--(debug|remote-debug|event-loop-debug|debug-format|debug-file)(=.*)?$/.test(word)) debug = true;
    else if (word === '--disable-randomization') disableRandomization = true;
    else if (word === '--no-disable-randomization') disableRandomization = false;
    // What is given here comes as separate words already, and gdb says it for each run of its own (QStartupWithShell).
    else if (/^--(no-)?startup-with-shell$/.test(word)) continue;
    else if (word === '--version') return { kind: 'version' };
    else if (word === '--help') return { kind: 'help' };
    else if (word === '--selftest' || word.startsWith('--selftest=')) {
      throw userError('gdbserver-selftest', "gdbserver: --selftest runs GNU gdbserver's own tests; there are none here.");
    } else
      throw userError('gdbserver-option', `gdbserver: unknown option ${word} (see savepoint gdbserver --help).`, {
        option: word,
      });
  }

  const address = argv[index];
  if (address === undefined)
    throw userError('gdbserver-comm', 'gdbserver: where to listen is missing (HOST:PORT, :PORT, a socket path or -).');
  const comm = parseComm(address);
  const rest = argv.slice(index + 1);
  const mode = chooseMode(attach, multi, rest);
  return {
    kind: 'serve',
    comm,
    mode,
    multi,
    once,
    debug,
    disableRandomization,
    ...(wrapper === undefined ? {} : { wrapper }),
    ...(listen === undefined ? {} : { listen: parseListen(listen, origins) }),
  };
}

function valueOf(argv: readonly string[], index: number, option: string): string {
  const value = argv[index];
  if (value === undefined) throw userError('gdbserver-option', `gdbserver: ${option} needs a value.`, { option });
  return value;
}

function chooseMode(attach: boolean, multi: boolean, rest: readonly string[]): GdbserverMode {
  const first = rest[0];
  if (attach) {
    if (first === undefined || rest.length > 1 || !/^[1-9]\d*$/.test(first)) {
      throw userError(
        'gdbserver-pid',
        `gdbserver: --attach needs one process id${first === undefined ? '' : `, not "${rest.join(' ')}"`}.`,
      );
    }
    return { kind: 'attach', pid: Number(first) };
  }
  if (first !== undefined) return { kind: 'launch', program: first, args: rest.slice(1) };
  if (multi) return { kind: 'multi' };
  throw userError('gdbserver-program', 'gdbserver: which program? (or --attach COMM PID, or --multi COMM)');
}

export function parseComm(text: string): Comm {
  if (text === '-' || text === 'stdio') return { kind: 'stdio' };
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (path === '') throw userError('gdbserver-comm', 'gdbserver: "unix:" needs a path.');
    return { kind: 'unix', path };
  }
  if (/^(\/dev\/|com\d)/i.test(text)) {
    throw userError('gdbserver-serial', `gdbserver: ${text} is a serial line; only TCP, unix sockets and stdio are served.`, {
      comm: text,
    });
  }
  if (text.startsWith('udp')) throw userError('gdbserver-udp', 'gdbserver: UDP is not served; use TCP.', { comm: text });
  if (text.includes('/')) return { kind: 'unix', path: text };
  const address = /^(?:tcp[46]?:)?(\[[^\]]*\]|[^:]*):(\d+)$/.exec(text);
  const port = Number(address?.[2]);
  if (address === null || port > 65_535) {
    throw userError('gdbserver-comm', `gdbserver: cannot listen at "${text}" (HOST:PORT, :PORT, a socket path or -).`, {
      comm: text,
    });
  }
  const host = (address[1] as string).replace(/^\[|\]$/g, '');
  return host === '' ? { kind: 'tcp', port } : { kind: 'tcp', host, port };
}
