/** Quantities as people read them. Pure. */

const MIB = 1024 * 1024;

export function formatBytes(bytes: number): string {
  return bytes >= 10 * MIB
    ? `${Math.round(bytes / MIB)} MiB`
    : bytes >= MIB
      ? `${(bytes / MIB).toFixed(1)} MiB`
      : `${Math.round(bytes / 1024)} KiB`;
}

export function formatMs(ms: number): string {
  return `${ms >= 100 ? Math.round(ms) : ms.toFixed(ms >= 10 ? 1 : 2)} ms`;
}

export const countThreads = (n: number): string => `${n} thread${n === 1 ? '' : 's'}`;
