/** Threads, frames, and their scopes. While the program runs, the threads are those that were known last. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import * as fs from 'node:fs';
import { userError } from '../../native/base/errors';
import { type GdbFrame, stackInfoDepth, stackListArguments, stackListFrames, threadInfo } from '../gdb/commands-data';
import { type MiTuple, numberOf } from '../gdb/mi-values';
import { baseName } from './breakpoints';
import type { CodeSources } from './code-sources';
import type { Core } from './core';

/** Shown after the program's end, so that the client has a thread to be stopped in. No gdb thread has this id. */
export const ENDED_THREAD = 1_000_000_000;
/** Looked ahead, so that the client knows that there is more. */
const AHEAD = 20;
/** A client that asks for all of them gets so many. */
const MOST_FRAMES = 10_000;

export class Threads {
  private known = new Map<number, string>();

  constructor(private readonly core: Core) {}

  onCreated(fields: MiTuple): void {
    const id = numberOf(fields, 'id');
    if (id === undefined) return;
    this.known.set(id, `Thread ${id}`);
    this.core.client.send('thread', { reason: 'started', threadId: id });
  }

  onExited(fields: MiTuple): void {
    const id = numberOf(fields, 'id');
    if (id === undefined || !this.known.delete(id)) return;
    this.core.client.send('thread', { reason: 'exited', threadId: id });
  }

  /** These are the whole program. */
  areAll(ids: readonly number[]): boolean {
    const wanted = new Set(ids);
    return this.known.size > 0 && [...this.known.keys()].every((id) => wanted.has(id));
  }

  first(): number | undefined {
    const [first] = this.known.keys();
    return first;
  }

  async list(): Promise<DebugProtocol.ThreadsResponse['body']> {
    const { program } = this.core;
    if (program.kind === 'exited') return { threads: [{ id: ENDED_THREAD, name: 'ended' }] };
    if (program.kind === 'stopped') {
      const { threads } = await threadInfo(this.core.gdb);
      this.known = new Map(
        threads.map(({ id, name, targetId }) => {
          const tid = /Thread \d+\.(\d+)/.exec(targetId)?.[1];
          return [id, tid === undefined ? (name ?? targetId) : name === undefined ? `Thread ${tid}` : `${name} (${tid})`];
        }),
      );
    }
    return { threads: [...this.known].map(([id, name]) => ({ id, name })) };
  }
}

export class Stack {
  /** Which source files exist here: looked up once. */
  private readonly exists = new Map<string, boolean>();

  constructor(
    private readonly core: Core,
    private readonly code: CodeSources,
  ) {}

  async trace(args: DebugProtocol.StackTraceArguments): Promise<DebugProtocol.StackTraceResponse['body']> {
    const { core } = this;
    if (core.program.kind === 'exited' && args.threadId === ENDED_THREAD) return { stackFrames: [], totalFrames: 0 };
    core.program.requireStopped();
    const low = args.startFrame ?? 0;
    const levels = args.levels === undefined || args.levels === 0 ? MOST_FRAMES : args.levels;
    const depthAsked = stackInfoDepth(core.gdb, args.threadId, low + levels + AHEAD);
    const framesAsked = stackListFrames(core.gdb, args.threadId, low, low + levels - 1);
    const argsAsked =
      args.format?.parameters === true ? stackListArguments(core.gdb, args.threadId, low, low + levels - 1) : undefined;
    const answers = await Promise.allSettled([depthAsked, framesAsked, argsAsked]);
    const [depth, frames, parameters] = answers;
    if (depth.status === 'rejected') throw depth.reason;
    // Beyond the last frame gdb calls it an error; the client just came to the end.
    const found = frames.status === 'fulfilled' ? frames.value : [];
    const words = parameters.status === 'fulfilled' ? parameters.value : undefined;
    const stackFrames: DebugProtocol.StackFrame[] = [];
    // One after another: frames of one function share what is found out about its code.
    for (const [i, frame] of found.entries()) stackFrames.push(await this.describe(args.threadId, frame, words?.[i]));
    return { stackFrames, totalFrames: depth.value };
  }

  private async describe(
    thread: number,
    frame: GdbFrame,
    parameters: readonly string[] | undefined,
  ): Promise<DebugProtocol.StackFrame> {
    const { core } = this;
    const id = core.frames.add({ thread, frame: frame.level });
    const address = `0x${frame.address.toString(16)}`;
    const name = frame.function ?? address;
    return {
      id,
      name: parameters === undefined ? name : `${name}(${parameters.join(', ')})`,
      instructionPointerReference: address,
      ...(await this.place(frame)),
      ...(frame.from === undefined ? {} : { moduleId: frame.from }),
    };
  }

  private async place(
    frame: GdbFrame,
  ): Promise<Pick<DebugProtocol.StackFrame, 'line' | 'column' | 'source' | 'presentationHint'>> {
    const { core } = this;
    if (frame.line !== undefined && (frame.fullName ?? frame.file) !== undefined)
      return { line: core.toClientLine(frame.line), column: core.conventions.columnBase, source: this.source(frame) };
    // A caller's address is the one behind its call, which may be another function's.
    const code = await this.code.placeOf(frame.address - (frame.level === 0 ? 0n : 1n));
    if (code === undefined) return { line: 0, column: 0, presentationHint: 'subtle' };
    return {
      line: core.toClientLine(code.line),
      column: core.conventions.columnBase,
      source: code.source,
      presentationHint: 'subtle',
    };
  }

  private source(frame: GdbFrame): DebugProtocol.Source {
    const file = frame.fullName ?? frame.file ?? '';
    const source = { name: baseName(file), path: this.core.toClientPath(file) };
    return this.isHere(file) ? source : { ...source, presentationHint: 'deemphasize', origin: 'not on this machine' };
  }

  private isHere(file: string): boolean {
    const known = this.exists.get(file);
    if (known !== undefined) return known;
    const found = fs.existsSync(file);
    this.exists.set(file, found);
    return found;
  }
}

/** The thread that a request names, or an error that says so. */
export function needThread(id: unknown): number {
  if (typeof id !== 'number' || !Number.isInteger(id) || id <= 0) throw userError('thread', `there is no thread ${String(id)}`);
  return id;
}
