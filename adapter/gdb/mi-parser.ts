/**
 * One line of gdb's MI output to one record (gdb manual, "GDB/MI Output Syntax"). Pure: every call ends, with a record or a PeerError.
 *
 * Strings are most of what gdb sends, so their ends are looked for with indexOf; a memory dump of megabytes is one slice.
 * gdb writes bytes that are not printable as octal escapes: runs of them are UTF-8.
 */

import { peerError } from '../../native/base/errors';
import type { MiList, MiRecord, MiTuple, MiValue, StreamKind } from './mi-values';

const STREAMS: Readonly<Record<string, StreamKind>> = { '~': 'console', '@': 'target', '&': 'log' };
const ASYNC = { '^': 'result', '*': 'exec', '+': 'status', '=': 'notify' } as const;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  e: '\x1b',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};
/** gdb nests as deep as the program's values do; beyond this the text is not gdb's. */
const MOST_NESTED = 2000;

export function parseRecord(line: string): MiRecord {
  return new Parser(line.endsWith('\r') ? line.slice(0, -1) : line).record();
}

/** The token of a line that may be unreadable otherwise. */
export function tokenOf(line: string): number | undefined {
  const match = /^(\d{1,15})\^/.exec(line);
  return match === null ? undefined : Number(match[1]);
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly line: string) {}

  record(): MiRecord {
    const { line } = this;
    if (/^\(gdb\) *$/.test(line)) return { kind: 'prompt' };
    const stream = STREAMS[line.charAt(0)];
    if (stream !== undefined) {
      this.at = 1;
      const text = this.string();
      this.end();
      return { kind: 'stream', stream, text };
    }
    const token = this.token();
    const kind = ASYNC[line.charAt(this.at) as keyof typeof ASYNC] as (typeof ASYNC)[keyof typeof ASYNC] | undefined;
    if (kind === undefined) throw this.garbage('no kind of record');
    this.at++;
    const name = this.name();
    const fields = line.charAt(this.at) === ',' ? this.fields() : {};
    this.end();
    return { kind, token, name, fields };
  }

  private token(): number | undefined {
    while (this.at < 15 && isDigit(this.line.charCodeAt(this.at))) this.at++;
    return this.at === 0 ? undefined : Number(this.line.slice(0, this.at));
  }

  /** `,name=value` until the end; also `,{…}` after a value, as mi2 wrote the locations of a breakpoint. */
  private fields(): MiTuple {
    const fields = new Fields();
    while (this.line.charAt(this.at) === ',') {
      this.at++;
      if (isOpening(this.line.charAt(this.at))) fields.addNameless(this.value());
      else fields.add(this.assigned(), this.value());
    }
    return fields.tuple;
  }

  private name(): string {
    const start = this.at;
    while (isNameCode(this.line.charCodeAt(this.at))) this.at++;
    if (this.at === start) throw this.garbage('no name');
    return this.line.slice(start, this.at);
  }

  private assigned(): string {
    const name = this.name();
    if (this.line.charAt(this.at) !== '=') throw this.garbage('no "="');
    this.at++;
    return name;
  }

  private value(): MiValue {
    const first = this.line.charAt(this.at);
    if (first === '"') return this.string();
    if (first !== '{' && first !== '[') throw this.garbage('no value');
    if (++this.depth > MOST_NESTED) throw this.garbage('nested too deep');
    const result = first === '{' ? this.tuple() : this.list();
    this.depth--;
    return result;
  }

  /** Up to gdb 13 a breakpoint's commands come as `script={"silent","print x"}`: braces with values only, which are a list. */
  private tuple(): MiValue {
    if (this.empty('}')) return {};
    if (isOpening(this.line.charAt(this.at))) return this.values('}');
    const fields = new Fields();
    do fields.add(this.assigned(), this.value());
    while (this.more('}'));
    return fields.tuple;
  }

  private list(): MiList {
    if (this.empty(']')) return [];
    if (isOpening(this.line.charAt(this.at))) return this.values(']');
    const names: string[] = [];
    const values: MiValue[] = [];
    do {
      names.push(this.assigned());
      values.push(this.value());
    } while (this.more(']'));
    return named(values, names);
  }

  private values(closing: string): MiList {
    const values: MiValue[] = [];
    do values.push(this.value());
    while (this.more(closing));
    return values;
  }

  private empty(closing: string): boolean {
    this.at++;
    if (this.line.charAt(this.at) !== closing) return false;
    this.at++;
    return true;
  }

  /** After a member: goes past "," (true) or the closing bracket (false). */
  private more(closing: string): boolean {
    const next = this.line.charAt(this.at++);
    if (next === ',') return true;
    if (next === closing) return false;
    this.at--;
    throw this.garbage(`no "${closing}"`);
  }

  private string(): string {
    const { line } = this;
    if (line.charAt(this.at) !== '"') throw this.garbage('no string');
    const start = ++this.at;
    const quote = line.indexOf('"', start);
    if (quote < 0) throw this.garbage('a string without an end');
    const simple = line.slice(start, quote);
    if (!simple.includes('\\')) {
      this.at = quote + 1;
      return simple;
    }
    return this.escapedString();
  }

  private escapedString(): string {
    const { line } = this;
    const parts: string[] = [];
    let bytes: number[] = [];
    const flush = (): void => {
      if (bytes.length === 0) return;
      parts.push(Buffer.from(bytes).toString('utf8'));
      bytes = [];
    };
    special.lastIndex = this.at;
    for (let match = special.exec(line); match !== null; match = special.exec(line)) {
      if (match.index > this.at) {
        flush();
        parts.push(line.slice(this.at, match.index));
      }
      if (match[0] === '"') {
        flush();
        this.at = special.lastIndex;
        return parts.join('');
      }
      const escape = match[0].slice(1);
      if (isDigit(escape.charCodeAt(0))) bytes.push(Number.parseInt(escape, 8) & 0xff);
      else {
        flush();
        parts.push(ESCAPES[escape] ?? escape);
      }
      this.at = special.lastIndex;
    }
    throw this.garbage('a string without an end');
  }

  private end(): void {
    if (this.at !== this.line.length) throw this.garbage('more than one record');
  }

  private garbage(why: string): Error {
    const from = Math.max(0, this.at - 20);
    return peerError(
      'mi-garbage',
      `gdb wrote what is not MI (${why} at ${this.at}): ${JSON.stringify(this.line.slice(from, from + 80))}`,
    );
  }
}

/** The end of a string, or an escape in it. A backslash that ends the line is neither, and then the string has no end. */
const special = /"|\\(?:[0-7]{1,3}|[^])/g;

class Fields {
  readonly tuple: Record<string, MiValue> = {};
  private last = '';

  add(name: string, value: MiValue): void {
    this.last = name;
    // defineProperty: a name may be `__proto__`.
    if (!Object.hasOwn(this.tuple, name)) {
      Object.defineProperty(this.tuple, name, { value, enumerable: true, configurable: true, writable: true });
    } else this.repeat(value);
  }

  addNameless(value: MiValue): void {
    this.repeat(value);
  }

  private repeat(value: MiValue): void {
    const before = this.tuple[this.last];
    const list = Array.isArray(before) && (before as MiList).names?.[0] === this.last ? (before as MiList) : [before as MiValue];
    const values = [...list, value];
    this.tuple[this.last] = named(
      values,
      values.map(() => this.last),
    );
  }
}

/** Not enumerable: the names are beside the values, not among them. */
function named(values: MiValue[], names: readonly string[]): MiList {
  return Object.defineProperty(values, 'names', { value: names }) as MiList;
}

const isOpening = (first: string): boolean => first === '"' || first === '{' || first === '[';
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
/** Letters, digits, `-`, `_` and `.`. */
const isNameCode = (code: number): boolean =>
  (code >= 97 && code <= 122) || code === 45 || code === 95 || code === 46 || (code >= 65 && code <= 90) || isDigit(code);
