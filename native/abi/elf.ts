/**
 * Numbers of the ELF format (elf.h). Imports nothing.
 */

/* Indexes into e_ident, and what stands there */
export const EI_CLASS = 4;
export const EI_DATA = 5;
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;

/* e_type, e_machine */
export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;
export const EM_386 = 3;
export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;
export const EM_RISCV = 243;
/** e_phnum: the true number stands in section 0's sh_info. */
export const PN_XNUM = 0xffff;

/* p_type, p_flags */
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_PHDR = 6;
export const PT_TLS = 7;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/* d_tag */
export const DT_NULL = 0;
export const DT_STRTAB = 5;
export const DT_SYMTAB = 6;
export const DT_SONAME = 14;
export const DT_DEBUG = 21;

/* sh_type, st_shndx */
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_DYNSYM = 11;
export const SHN_UNDEF = 0;

/* r_state of struct r_debug (link.h) */
export const RT_CONSISTENT = 0;
export const RT_ADD = 1;
export const RT_DELETE = 2;
