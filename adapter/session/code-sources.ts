/**
 * Sources for code without source files: the machine code of its function, as text with an instruction a line. A reference means the same function as
 * long as its library is there.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { userError } from '../../native/base/errors';
import { type GdbInstruction, disassemble } from '../gdb/commands-data';
import type { Core } from './core';

interface Listing {
  readonly reference: number;
  readonly name: string;
  readonly addresses: readonly bigint[];
  /** The first address behind it, as far as is known. */
  readonly end: bigint;
  readonly text: string;
}

/** Where no symbol tells of a function: so many bytes from the address on. */
const WINDOW = 256n;
/** One instruction has at most so many bytes. */
const LONGEST = 15n;

export interface CodePlace {
  readonly source: DebugProtocol.Source;
  /** Counted from 1. */
  readonly line: number;
}

export class CodeSources {
  private readonly listings = new Map<number, Listing>();
  private nextReference = 1;

  constructor(private readonly core: Core) {}

  /** A library came or went: code may be elsewhere. References are not used again. */
  onLibraries(): void {
    this.listings.clear();
  }

  /** undefined: there is no readable code. */
  async placeOf(address: bigint): Promise<CodePlace | undefined> {
    const listing = this.find(address) ?? (await this.make(address));
    if (listing === undefined) return undefined;
    const index = listing.addresses.findLastIndex((one) => one <= address);
    return { source: describe(listing), line: index + 1 };
  }

  /** Of the reference's text, what is in a line. */
  addressOf(reference: number, line: number): bigint {
    const { addresses } = this.get(reference);
    const address = addresses[Math.max(1, line) - 1];
    if (address === undefined) throw userError('code-line', `there is no line ${line} in this disassembly`);
    return address;
  }

  countLines(reference: number): number {
    return this.get(reference).addresses.length;
  }

  text(reference: number): string {
    return this.get(reference).text;
  }

  private get(reference: number): Listing {
    const listing = this.listings.get(reference);
    if (listing === undefined) throw userError('source', `there is no source of number ${reference} (any more)`);
    return listing;
  }

  private find(address: bigint): Listing | undefined {
    for (const listing of this.listings.values()) {
      if ((listing.addresses[0] as bigint) <= address && address < listing.end) return listing;
    }
    return undefined;
  }

  private async make(address: bigint): Promise<Listing | undefined> {
    const { gdb } = this.core;
    const code = await disassemble(gdb, { around: address }).catch(() =>
      disassemble(gdb, { start: address, end: address + WINDOW }).catch((): readonly GdbInstruction[] => []),
    );
    const [first] = code;
    const last = code.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const listing: Listing = {
      reference: this.nextReference++,
      name: first.function ?? `0x${first.address.toString(16)}`,
      addresses: code.map((one) => one.address),
      end: last.address + (last.bytes === undefined ? LONGEST : BigInt(last.bytes.split(' ').length)),
      text: code.map(show).join(''),
    };
    this.listings.set(listing.reference, listing);
    return listing;
  }
}

function show({ address, bytes, offset, text }: GdbInstruction): string {
  const place = offset === undefined ? '' : ` <+${offset}>`;
  return `0x${address.toString(16).padStart(12, '0')}${place.padEnd(8)} ${(bytes ?? '').padEnd(24)} ${text}\n`;
}

function describe({ name, reference }: Listing): DebugProtocol.Source {
  return { name: `${name} (disassembly)`, sourceReference: reference, presentationHint: 'deemphasize', origin: 'machine code' };
}
