/** Memory and machine code. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { userError } from '../../native/base/errors';
import { type GdbInstruction, disassemble, evaluateExpression, readMemory, writeMemory } from '../gdb/commands-data';
import { baseName } from './breakpoints';
import type { Core } from './core';

/** More in one request would hold up everything else. */
const MOST_BYTES = 64 << 20;
const LONGEST_INSTRUCTION = 15n;
const USUAL_INSTRUCTION = 5n;
const ADDRESSES = 1n << 64n;

/** Clients do not say when they close one. */
const MOST_VIEWS = 50;

/** What a client has read by one reference, which is how it knows it again: offsets [from, to) of `base`. */
interface View {
  readonly base: bigint;
  readonly from: number;
  readonly to: number;
}

export class Memory {
  private readonly views = new Map<string, View>();

  constructor(
    private readonly core: Core,
    private readonly onChanged: () => void,
  ) {}

  private async address(reference: string, offset: number | undefined): Promise<bigint> {
    const base = /^(0x[0-9a-f]+|\d+)$/i.test(reference)
      ? BigInt(reference)
      : BigInt((/0x[0-9a-f]+|\d+/i.exec(await evaluateExpression(this.core.gdb, `(long)(${reference})`)) ?? ['0'])[0]);
    return (((base + BigInt(offset ?? 0)) % ADDRESSES) + ADDRESSES) % ADDRESSES;
  }

  async read(args: DebugProtocol.ReadMemoryArguments): Promise<DebugProtocol.ReadMemoryResponse['body']> {
    this.core.program.requireStopped();
    if (!(args.count >= 0) || args.count > MOST_BYTES) throw userError('memory-count', `at most ${MOST_BYTES} bytes at once`);
    const start = await this.address(args.memoryReference, args.offset);
    this.remember(args, start);
    const shown = `0x${start.toString(16)}`;
    if (args.count === 0) return { address: shown, data: '' };
    let runs: Awaited<ReturnType<typeof readMemory>>;
    try {
      runs = await readMemory(this.core.gdb, start, args.count);
    } catch {
      return { address: shown, unreadableBytes: args.count };
    }
    // Only what begins at the address can be told; a hole ends it.
    const first = runs.find((run) => run.address === start);
    if (first === undefined)
      return { address: shown, unreadableBytes: runs[0] === undefined ? args.count : Number(runs[0].address - start) };
    const missing = args.count - first.bytes.length;
    return { address: shown, data: first.bytes.toString('base64'), ...(missing > 0 ? { unreadableBytes: missing } : {}) };
  }

  async write(args: DebugProtocol.WriteMemoryArguments): Promise<DebugProtocol.WriteMemoryResponse['body']> {
    this.core.program.requireStopped();
    const start = await this.address(args.memoryReference, args.offset);
    const bytes = Buffer.from(args.data, 'base64');
    if (bytes.length > 0) await writeMemory(this.core.gdb, start, bytes);
    this.tell(args.memoryReference, args.offset ?? 0, bytes.length);
    for (const [reference, view] of this.views) {
      if (reference !== args.memoryReference) this.tellOverlap(reference, view, start, bytes.length);
    }
    this.onChanged();
    return { offset: 0, bytesWritten: bytes.length };
  }

  // --- views that the client may have open ---

  private remember({ memoryReference, offset = 0, count }: DebugProtocol.ReadMemoryArguments, start: bigint): void {
    const base = start - BigInt(offset);
    const old = this.views.get(memoryReference);
    const same = old?.base === base ? old : { from: offset, to: offset };
    this.views.delete(memoryReference);
    this.views.set(memoryReference, { base, from: Math.min(same.from, offset), to: Math.max(same.to, offset + count) });
    const [oldest] = this.views.keys();
    if (this.views.size > MOST_VIEWS && oldest !== undefined) this.views.delete(oldest);
  }

  /** Something was assigned to, or a command has changed who knows what: everything that is looked at is to be read again. */
  tellChanged(): void {
    for (const [reference, { from, to }] of this.views) this.tell(reference, from, to - from);
  }

  private tellOverlap(reference: string, { base, from, to }: View, start: bigint, count: number): void {
    const offset = Number(start - base);
    const [first, end] = [Math.max(from, offset), Math.min(to, offset + count)];
    if (first < end) this.tell(reference, first, end - first);
  }

  private tell(memoryReference: string, offset: number, count: number): void {
    if (this.core.conventions.memoryEvent && count > 0) this.core.client.send('memory', { memoryReference, offset, count });
  }

  // --- code ---

  async disassemble(args: DebugProtocol.DisassembleArguments): Promise<DebugProtocol.DisassembleResponse['body']> {
    this.core.program.requireStopped();
    const base = await this.address(args.memoryReference, args.offset);
    const from = args.instructionOffset ?? 0;
    const count = args.instructionCount;
    const before = from < 0 ? await this.before(base, -from) : [];
    const after = from + count > 0 ? await this.after(base, from + count) : [];
    // The instruction at `base` is number 0 of what was asked for.
    const all = [...before, ...after];
    const zero = before.length;
    const instructions = Array.from({ length: count }, (_, i) => {
      const found = all[zero + from + i];
      return found === undefined
        ? { address: '0x0', instruction: '??', presentationHint: 'invalid' as const }
        : this.describe(found);
    });
    return { instructions };
  }

  private async after(start: bigint, count: number): Promise<readonly GdbInstruction[]> {
    const found: GdbInstruction[] = [];
    let at = start;
    while (found.length < count) {
      const missing = BigInt(count - found.length);
      const more = await this.attempt(at, at + missing * USUAL_INSTRUCTION + LONGEST_INSTRUCTION);
      const fresh = more.filter((one) => one.address >= at);
      const last = fresh.at(-1);
      if (last === undefined) break;
      found.push(...fresh);
      at = last.address + BigInt(lengthOf(last));
      if (lengthOf(last) === 0) break;
    }
    return found.slice(0, count);
  }

  /** Instructions have no beginning that can be seen from behind: a start counts as right when its instructions meet `end`. */
  private async before(end: bigint, count: number): Promise<readonly GdbInstruction[]> {
    const inFunction = (await this.attemptAround(end)).filter((one) => one.address < end);
    if (inFunction.length >= count) return inFunction.slice(-count);
    const meets = inFunction[0]?.address ?? end;
    const missing = BigInt(count - inFunction.length);
    const back = missing * USUAL_INSTRUCTION + LONGEST_INSTRUCTION;
    for (let more = 0n; more < LONGEST_INSTRUCTION; more++) {
      const start = meets > back + more ? meets - back - more : 0n;
      const found = await this.attempt(start, meets);
      const last = found.at(-1);
      if (last !== undefined && last.address + BigInt(lengthOf(last)) === meets) return [...found, ...inFunction].slice(-count);
    }
    return inFunction;
  }

  private async attempt(start: bigint, end: bigint): Promise<readonly GdbInstruction[]> {
    return await disassemble(this.core.gdb, { start, end }).catch(() => []);
  }

  private async attemptAround(address: bigint): Promise<readonly GdbInstruction[]> {
    return await disassemble(this.core.gdb, { around: address }).catch(() => []);
  }

  private describe(found: GdbInstruction): DebugProtocol.DisassembledInstruction {
    return {
      address: `0x${found.address.toString(16)}`,
      instruction: found.text,
      ...(found.bytes === undefined ? {} : { instructionBytes: found.bytes }),
      ...(found.function === undefined
        ? {}
        : { symbol: found.offset === 0 ? found.function : `${found.function}+${found.offset ?? 0}` }),
      ...(found.file === undefined || found.line === undefined
        ? {}
        : {
            location: { name: baseName(found.file), path: this.core.toClientPath(found.file) },
            line: this.core.toClientLine(found.line),
          }),
    };
  }
}

const lengthOf = (instruction: GdbInstruction): number =>
  instruction.bytes === undefined ? 0 : instruction.bytes.split(' ').length;
