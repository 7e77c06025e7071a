/**
 * The architecture of this machine.
 */

import { userError } from '../base/errors';
import type { Arch } from './arch';
import { createX86_64 } from './x86-64';
import { readXsaveLayout, type Cpu } from './x86-64-xstate';

/** `cpu`: native/sys/cpu.ts, which this folder may not import. Throws UserError on a machine that is not supported. */
export function hostArch(cpu: Cpu, machine: string = process.arch): Arch {
  if (machine !== 'x64') {
    throw userError('unsupported-machine', `this machine (${machine}) is not supported: savepoint runs on x86-64 Linux only`, {
      machine,
    });
  }
  return createX86_64(readXsaveLayout(cpu));
}
