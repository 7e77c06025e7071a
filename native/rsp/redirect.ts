/**
 * Shell redirections in a program's arguments (pure).
 *
 * gdb splits "run" arguments into words, drops the quotes and sends the words (vRun); a `>out` typed by the user arrives as a
 * word like any other. With startup-with-shell on, such words are taken for what a shell would have made of them.
 *
 * Since the quotes are gone, a quoted `'<html>'` looks like a redirection, too. A word with another `<` or `>` in the file name
 * would have been a syntax error for a shell, so it must have been quoted: it stays an argument.
 */

import { constants } from 'node:fs';
import { userError } from '../base/errors';
import type { LaunchSpec } from '../owner/ops';

export type Redirect = NonNullable<LaunchSpec['redirect']>[number];

export interface SplitArgs {
  readonly args: readonly string[];
  /** In the order in which they are to be applied: `>a 2>&1` is not `2>&1 >a`. */
  readonly redirect: readonly Redirect[];
}

interface Operator {
  /** The descriptor when none is written before the operator. */
  readonly fd: 0 | 1;
  readonly flags: number;
}

const TRUNCATE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;

const OPERATORS: Readonly<Record<string, Operator>> = {
  '<': { fd: 0, flags: constants.O_RDONLY },
  '>': { fd: 1, flags: TRUNCATE },
  '>|': { fd: 1, flags: TRUNCATE },
  '>>': { fd: 1, flags: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND },
  '<>': { fd: 0, flags: constants.O_RDWR | constants.O_CREAT },
  '>&': { fd: 1, flags: TRUNCATE },
  '<&': { fd: 0, flags: constants.O_RDONLY },
  '&>': { fd: 1, flags: TRUNCATE },
  '&>>': { fd: 1, flags: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND },
};

const REDIRECTION = /^(\d*)(&>>|&>|>>|>\||>&|<>|<&|<|>)([^<>]*)$/s;

function standard(fd: number, word: string): 0 | 1 | 2 {
  if (fd === 0 || fd === 1 || fd === 2) return fd;
  throw userError('redirection', `redirection '${word}': only descriptors 0, 1 and 2 can be redirected`, { word });
}

/** Throws UserError for a redirection that names no file or a descriptor above 2. */
export function splitRedirections(words: readonly string[]): SplitArgs {
  const args: string[] = [];
  const redirect: Redirect[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    const found = REDIRECTION.exec(word);
    if (found === null || (found[2]?.startsWith('&') === true && found[1] !== '')) {
      args.push(word);
      continue;
    }
    const name = found[2];
    const operator = OPERATORS[name];
    let target = found[3];
    if (target === '') {
      index += 1;
      if (index >= words.length) throw userError('redirection', `redirection '${word}': no file name after it`, { word });
      target = words[index];
    }
    const fd = standard(found[1] === '' ? operator.fd : Number(found[1]), word);
    const copies = name === '>&' || name === '<&';
    if (copies && /^\d+$/.test(target)) {
      redirect.push({ fd, dup: standard(Number(target), word) });
    } else if (copies && (name === '<&' || found[1] !== '')) {
      throw userError('redirection', `redirection '${word}': '${target}' is not a descriptor`, { word });
    } else {
      redirect.push({ fd, path: target, flags: operator.flags });
      if (name === '&>' || name === '&>>' || name === '>&') redirect.push({ fd: 2, dup: 1 });
    }
  }
  return { args, redirect };
}
