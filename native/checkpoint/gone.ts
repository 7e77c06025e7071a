/**
 * Inside the engine the death of the process ends a take or a restore at once, whatever stage it is in: `alive` turns GONE into a
 * throw that only the engine's own entry points catch and turn back into GONE. It never leaves native/checkpoint.
 */

import { GONE, type Gone } from '../base/brands';
import { isFamily } from '../base/errors';

export class ProcessGone extends Error {}

export function alive<T>(answer: T | Gone): T {
  if (answer === GONE) throw new ProcessGone('the process was killed meanwhile');
  return answer;
}

/** Whether this says that the process died: our own word for it, or the kernel's. */
export function saysGone(error: unknown): boolean {
  return error instanceof ProcessGone || (isFamily(error, 'kernel') && error.code === 'ESRCH');
}

/** Runs `act`; GONE when the process died under it. */
export function unlessGone<T>(act: () => T): T | Gone {
  try {
    return act();
  } catch (error) {
    if (saysGone(error)) return GONE;
    throw error;
  }
}
