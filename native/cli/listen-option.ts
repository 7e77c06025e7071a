/** `--listen HOST:PORT` and `--allow-origin ORIGIN`: the control surface on TCP. Pure. */

import { userError } from '../base/errors';
import { ENDS_OPTIONS } from './gdb-args';

export interface ListenAt {
  readonly host: string;
  readonly port: number;
  readonly origins: readonly string[];
}

export function parseListen(text: string, origins: readonly string[] = []): ListenAt {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/\s]+):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65_535)
    throw userError('listen', `--listen ${text}: HOST:PORT is wanted, as in 127.0.0.1:7070 (port 0: any free one)`);
  for (const origin of origins)
    if (!/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/i.test(origin))
      throw userError('origin', `--allow-origin ${origin}: SCHEME://HOST[:PORT] is wanted, as browsers send it`);
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port: Number(match[2]), origins };
}

/** Of the owner's words; each `--allow-origin` has one origin. */
export function readListen(text: string | undefined, argv: readonly string[]): ListenAt | undefined {
  if (text === undefined) return undefined;
  return parseListen(
    text,
    argv.filter((_, i) => argv[i - 1] === '--allow-origin'),
  );
}

export interface SplitWords {
  /** For the owner's command line. */
  readonly listen: readonly string[];
  readonly rest: readonly string[];
}

/** Takes our two options out of gdb's words; behind `--args` they are the program's. */
export function splitListen(argv: readonly string[]): SplitWords {
  const listen: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (ENDS_OPTIONS.test(word)) {
      rest.push(...argv.slice(index));
      break;
    }
    const match = /^--(listen|allow-origin)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      rest.push(word);
      continue;
    }
    const value = match[2] ?? argv[++index];
    if (value === undefined) throw userError('listen', `--${match[1]} needs a value`);
    listen.push(`--${match[1]}`, value);
  }
  const at = listen.indexOf('--listen');
  if (at < 0 && listen.length > 0) throw userError('listen', '--allow-origin is of no use without --listen');
  // A wrong one is told before anything is started.
  readListen(at < 0 ? undefined : listen[at + 1], listen);
  return { listen, rest };
}
