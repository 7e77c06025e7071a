/** Registers in groups, by their names on x86-64. Pure. */

export const REGISTER_GROUPS = ['general', 'segments', 'floating point', 'vector', 'other'] as const;
export type RegisterGroup = (typeof REGISTER_GROUPS)[number];

const PATTERNS: readonly [RegisterGroup, RegExp][] = [
  ['general', /^(r[a-ds][ixp]|rbp|rsp|rip|r\d+|eflags)$/],
  ['segments', /^([c-gs]s|[fgk]s_base|k_gs_base|orig_rax)$/],
  ['floating point', /^(st\d|f(ctrl|stat|tag|iseg|ioff|oseg|ooff|op)|mxcsr)$/],
  ['vector', /^([xyz]mm\d+|k\d)$/],
];

/** Their halves and smaller names (`ymm0h`, `eax`, `al`) are parts of others. */
const PARTS = /^([xyz]mm\d+h|e[a-ds][ixp]|e[bs]p|[a-d][lhx]|[sd]il?|[bs]pl?|r\d+[dlwb]|raw_.*)$/;

/** Numbers by group; registers without a name and parts of others are left out. */
export function groupRegisters(names: readonly string[]): Record<RegisterGroup, number[]> {
  const groups: Record<RegisterGroup, number[]> = { general: [], segments: [], 'floating point': [], vector: [], other: [] };
  names.forEach((name, number) => {
    if (name === '' || PARTS.test(name)) return;
    groups[PATTERNS.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other'].push(number);
  });
  return groups;
}
