/** What the environment sets for the checkpoint engine and the owner. Pure. */

import { userError } from '../base/errors';
import { dirtyTiers, type DirtyTier } from '../sys/dirty-tier';

export interface EngineSettings {
  readonly tier?: DirtyTier;
  readonly storeLimit?: bigint;
}

/** Whether takes and restores may be made to fail (`monitor fail-at`), for tests. */
export const allowsFaults = (env: Readonly<Record<string, string | undefined>>): boolean => env['SAVEPOINT_TEST_FAULTS'] === '1';

const UNITS: Readonly<Record<string, bigint>> = { '': 1n, K: 1n << 10n, M: 1n << 20n, G: 1n << 30n, T: 1n << 40n };

/** `4G`, `500M`, or bytes. */
function readSize(name: string, word: string): bigint {
  const match = /^(\d{1,15})([KMGT]?)(?:i?B)?$/i.exec(word);
  if (match === null) throw userError('setting', `${name}=${word} is not a size (4G, 500M)`);
  return BigInt(match[1]!) * UNITS[match[2]!.toUpperCase()]!;
}

/** How watchpoints are found: by the processor's debug registers, or by stepping every thread and comparing memory. */
export const watchModes = ['registers', 'step'] as const;
export type WatchMode = (typeof watchModes)[number];

/** undefined: whatever works. */
export function readWatchMode(env: Readonly<Record<string, string | undefined>>): WatchMode | undefined {
  const forced = env['SAVEPOINT_FORCE_WATCH'] || undefined;
  const mode = watchModes.find((name) => name === forced);
  if (forced !== undefined && mode === undefined)
    throw userError('setting', `SAVEPOINT_FORCE_WATCH=${forced}: there are ${watchModes.join(' and ')}`);
  return mode;
}

/** Whether launched programs get the filter that holds threads and the process at their end. */
export function wantsExitFilter(env: Readonly<Record<string, string | undefined>>): boolean {
  const word = env['SAVEPOINT_EXIT_FILTER'] || 'on';
  if (word !== 'on' && word !== 'off') throw userError('setting', `SAVEPOINT_EXIT_FILTER=${word}: there are on and off`);
  return word === 'on';
}

export function readEngineSettings(env: Readonly<Record<string, string | undefined>>): EngineSettings {
  const forced = env['SAVEPOINT_FORCE_TIER'] || undefined;
  const limit = env['SAVEPOINT_STORE_LIMIT'] || undefined;
  const tier = dirtyTiers.find((name) => name === forced);
  if (forced !== undefined && tier === undefined)
    throw userError('setting', `SAVEPOINT_FORCE_TIER=${forced}: there are ${dirtyTiers.join(' and ')}`);
  return {
    ...(tier === undefined ? {} : { tier }),
    ...(limit === undefined ? {} : { storeLimit: readSize('SAVEPOINT_STORE_LIMIT', limit) }),
  };
}
