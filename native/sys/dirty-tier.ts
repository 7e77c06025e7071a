/** How the pages that a program has written since a checkpoint are found; best first. Pure. */

export const dirtyTiers = ['write-protect', 'compare'] as const;
export type DirtyTier = (typeof dirtyTiers)[number];

/**
 * The best tier that works. `forced` (the environment's SAVEPOINT_FORCE_TIER, for tests) wins when it works; `compare` always works.
 */
export function chooseDirtyTier(
  works: { readonly writeProtect: boolean; readonly pagemapScan: boolean },
  forced?: string,
): DirtyTier {
  const usable: Readonly<Record<DirtyTier, boolean>> = {
    'write-protect': works.writeProtect && works.pagemapScan,
    compare: true,
  };
  return dirtyTiers.find((tier) => tier === forced && usable[tier]) ?? dirtyTiers.find((tier) => usable[tier]) ?? 'compare';
}
