/**
 * target.xml for gdb, byte for byte as gdbserver 13 writes it: gdb chooses types, groups and register numbers by it. Pure.
 *
 * gdb manual, "Target Description Format" and "i386 Features".
 */

import type { Feature, Register } from './x86-64-registers';

interface Bit {
  readonly name: string;
  readonly at: number;
}

/** Named bits from their positions; '' is gdb's way to say "reserved, and set". */
function bits(text: string): Bit[] {
  return text.split(' ').map((word) => {
    const [name, at] = word.split(':');
    return { name, at: Number(at) };
  });
}

const EFLAGS = bits('CF:0 :1 PF:2 AF:4 ZF:6 SF:7 TF:8 IF:9 DF:10 OF:11 NT:14 RF:16 VM:17 AC:18 VIF:19 VIP:20 ID:21');
const MXCSR = bits('IE:0 DE:1 ZE:2 OE:3 UE:4 PE:5 DAZ:6 IM:7 DM:8 ZM:9 OM:10 UM:11 PM:12 FZ:15');

function flags(id: string, fields: readonly Bit[]): string[] {
  return [
    `    <flags id="${id}" size="4">`,
    ...fields.map(({ name, at }) => `      <field name="${name}" start="${at}" end="${at}" type="bool"/>`),
    '    </flags>',
  ];
}

/** id, element type, count; and the field of the union that has it. */
const VECTORS = [
  ['v8bf16', 'bfloat16', 8, 'v8_bfloat16'],
  ['v8h', 'ieee_half', 8, 'v8_half'],
  ['v4f', 'ieee_single', 4, 'v4_float'],
  ['v2d', 'ieee_double', 2, 'v2_double'],
  ['v16i8', 'int8', 16, 'v16_int8'],
  ['v8i16', 'int16', 8, 'v8_int16'],
  ['v4i32', 'int32', 4, 'v4_int32'],
  ['v2i64', 'int64', 2, 'v2_int64'],
] as const;

function vec128(): string[] {
  return [
    ...VECTORS.map(([id, type, count]) => `    <vector id="${id}" type="${type}" count="${count}"/>`),
    '    <union id="vec128">',
    ...VECTORS.map(([id, , , field]) => `      <field name="${field}" type="${id}"/>`),
    '      <field name="uint128" type="uint128"/>',
    '    </union>',
  ];
}

/** The types that stand in front of a feature's registers. Each feature has its own name space. */
const TYPES: Readonly<Partial<Record<Feature, readonly string[]>>> = {
  core: flags('i386_eflags', EFLAGS),
  sse: [...vec128(), ...flags('i386_mxcsr', MXCSR)],
  avx512: [...vec128(), '    <vector id="v2ui128" type="uint128" count="2"/>'],
};

function registerLine({ name, bits: size, type, group }: Register, regnum: number): string {
  const grouped = group === undefined ? '' : ` group="${group}"`;
  return `    <reg name="${name}" bitsize="${size}" type="${type}" regnum="${regnum}"${grouped}/>`;
}

export function formatTargetXml(registers: readonly Register[]): string {
  const lines = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
    '<target>',
    '  <architecture>i386:x86-64</architecture>',
    '  <osabi>GNU/Linux</osabi>',
  ];
  let open: Feature | undefined;
  registers.forEach((register, regnum) => {
    if (register.feature !== open) {
      if (open !== undefined) lines.push('  </feature>');
      open = register.feature;
      lines.push(`  <feature name="org.gnu.gdb.i386.${open}">`, ...(TYPES[open] ?? []));
    }
    lines.push(registerLine(register, regnum));
  });
  lines.push('  </feature>', '</target>', '');
  return lines.join('\n');
}
