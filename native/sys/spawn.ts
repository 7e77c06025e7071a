/**
 * Starting a program under the tracer (native/shim/process.c).
 */

import type { Pid } from '../base/brands';
import { errnoName } from '../abi/errno';
import { told } from './ptrace-trace';
import { bind } from './shim';

const spawnRaw = bind<
  (
    path: string,
    argv: Buffer,
    argc: number,
    env: Buffer,
    envc: number,
    cwd: string | null,
    flags: number,
    fds: Buffer,
    options: number,
    stage: Buffer,
  ) => number
>(
  'int sp_spawn(const char *path, const void *argv_block, int argc, const void *env_block, int envc, const char *cwd, int flags, const void *fds, int64_t options, void *stage)',
);

const NO_RANDOMIZE = 1;
const HOLD_EXITS = 2;

export interface SpawnSpec {
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd?: string;
  readonly noRandomize: boolean;
  /** Install the filter that stops the program at exit and exit_group. */
  readonly holdExits: boolean;
  /** Descriptors of ours that become 0, 1, 2; -1: inherited. */
  readonly fds: readonly [number, number, number];
  /** PTRACE_O_ bits. */
  readonly options: number;
}

export const SPAWN_STAGES = ['none', 'fork', 'seize', 'cwd', 'filter', 'exec', 'descriptors'] as const;
export type SpawnStage = (typeof SPAWN_STAGES)[number];

export type SpawnResult = { readonly pid: Pid } | { readonly errno: number; readonly stage: SpawnStage };

const block = (strings: readonly string[]): Buffer => Buffer.from(strings.map((s) => `${s}\0`).join('') + '\0');

/** The child is seized and on its way to PTRACE_EVENT_EXEC. */
export function spawn(spec: SpawnSpec): SpawnResult {
  const fds = Buffer.alloc(12);
  spec.fds.forEach((fd, i) => fds.writeInt32LE(fd, i * 4));
  const stage = Buffer.alloc(4);
  const flags = (spec.noRandomize ? NO_RANDOMIZE : 0) | (spec.holdExits ? HOLD_EXITS : 0);
  const result = spawnRaw(
    spec.path,
    block(spec.argv),
    spec.argv.length,
    block(spec.env),
    spec.env.length,
    spec.cwd ?? null,
    flags,
    fds,
    spec.options,
    stage,
  );
  told?.(`spawn ${spec.path}: ${result > 0 ? result : errnoName(-result)}`);
  return result > 0 ? { pid: result } : { errno: -result, stage: SPAWN_STAGES[stage.readInt32LE(0)] ?? 'none' };
}
