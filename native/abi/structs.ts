/**
 * Sizes and field offsets (bytes) of the kernel's and the C library's structures on x86-64, under their C names.
 * Imports nothing. verify.ts proves each of them with offsetof and sizeof.
 */

/** siginfo_t. `si_pid` to `si_int` belong to signals sent by somebody; `si_addr` to faults; `si_timerid` to timers. */
export const SIGINFO = {
  size: 128,
  si_signo: 0,
  si_errno: 4,
  si_code: 8,
  si_pid: 16,
  si_uid: 20,
  si_status: 24,
  si_int: 24,
  si_ptr: 24,
  si_addr: 16,
  si_timerid: 16,
  si_overrun: 20,
  si_band: 16,
  si_fd: 24,
  si_call_addr: 16,
  si_syscall: 24,
  si_arch: 28,
} as const;

/** struct user_regs_struct: PTRACE_GETREGS and NT_PRSTATUS's pr_reg. */
export const USER_REGS = {
  size: 216,
  r15: 0,
  r14: 8,
  r13: 16,
  r12: 24,
  rbp: 32,
  rbx: 40,
  r11: 48,
  r10: 56,
  r9: 64,
  r8: 72,
  rax: 80,
  rcx: 88,
  rdx: 96,
  rsi: 104,
  rdi: 112,
  orig_rax: 120,
  rip: 128,
  cs: 136,
  eflags: 144,
  rsp: 152,
  ss: 160,
  fs_base: 168,
  gs_base: 176,
  ds: 184,
  es: 192,
  fs: 200,
  gs: 208,
} as const;

/** struct user: PTRACE_PEEKUSER and PTRACE_POKEUSER. `u_debugreg` is an array of 8 words. */
export const USER = { size: 912, regs: 0, u_debugreg: 848 } as const;

/** struct user_fpregs_struct: NT_PRFPREG, and the first 512 bytes of NT_X86_XSTATE. */
export const USER_FPREGS = {
  size: 512,
  cwd: 0,
  swd: 2,
  ftw: 4,
  fop: 6,
  rip: 8,
  rdp: 16,
  mxcsr: 24,
  mxcr_mask: 28,
  st_space: 32,
  xmm_space: 160,
} as const;

/** The kernel's struct sigaction (rt_sigaction), not the C library's. */
export const KERNEL_SIGACTION = { size: 32, sa_handler: 0, sa_flags: 8, sa_restorer: 16, sa_mask: 24 } as const;
/** The kernel's sigset_t. */
export const KERNEL_SIGSET = { size: 8 } as const;
export const STACK_T = { size: 24, ss_sp: 0, ss_flags: 8, ss_size: 16 } as const;

export const TIMESPEC = { size: 16, tv_sec: 0, tv_nsec: 8 } as const;
export const TIMEVAL = { size: 16, tv_sec: 0, tv_usec: 8 } as const;
export const ITIMERVAL = { size: 32, it_interval: 0, it_value: 16 } as const;
export const ITIMERSPEC = { size: 32, it_interval: 0, it_value: 16 } as const;
export const RLIMIT = { size: 16, rlim_cur: 0, rlim_max: 8 } as const;
export const POLLFD = { size: 8, fd: 0, events: 4, revents: 6 } as const;

export const IOVEC = { size: 16, iov_base: 0, iov_len: 8 } as const;
export const MSGHDR = {
  size: 56,
  msg_name: 0,
  msg_namelen: 8,
  msg_iov: 16,
  msg_iovlen: 24,
  msg_control: 32,
  msg_controllen: 40,
  msg_flags: 48,
} as const;
/** The data follows it. */
export const CMSGHDR = { size: 16, cmsg_len: 0, cmsg_level: 8, cmsg_type: 12 } as const;

export const PTRACE_PEEKSIGINFO_ARGS = { size: 16, off: 0, flags: 8, nr: 12 } as const;
export const PTRACE_RSEQ_CONFIGURATION = { size: 24, rseq_abi_pointer: 0, rseq_abi_size: 8, signature: 12, flags: 16 } as const;
export const ROBUST_LIST_HEAD = { size: 24, list: 0, futex_offset: 8, list_op_pending: 16 } as const;
/** The first 32 bytes; later kernels have more (AT_RSEQ_FEATURE_SIZE). */
export const RSEQ = { size: 32, cpu_id_start: 0, cpu_id: 4, rseq_cs: 8, flags: 16 } as const;
export const PRCTL_MM_MAP = {
  size: 104,
  start_code: 0,
  end_code: 8,
  start_data: 16,
  end_data: 24,
  start_brk: 32,
  brk: 40,
  start_stack: 48,
  arg_start: 56,
  arg_end: 64,
  env_start: 72,
  env_end: 80,
  auxv: 88,
  auxv_size: 96,
  exe_fd: 100,
} as const;

export const ELF64_EHDR = {
  size: 64,
  e_ident: 0,
  e_type: 16,
  e_machine: 18,
  e_version: 20,
  e_entry: 24,
  e_phoff: 32,
  e_shoff: 40,
  e_flags: 48,
  e_ehsize: 52,
  e_phentsize: 54,
  e_phnum: 56,
  e_shentsize: 58,
  e_shnum: 60,
  e_shstrndx: 62,
} as const;
export const ELF64_PHDR = {
  size: 56,
  p_type: 0,
  p_flags: 4,
  p_offset: 8,
  p_vaddr: 16,
  p_paddr: 24,
  p_filesz: 32,
  p_memsz: 40,
  p_align: 48,
} as const;
export const ELF64_SHDR = {
  size: 64,
  sh_name: 0,
  sh_type: 4,
  sh_flags: 8,
  sh_addr: 16,
  sh_offset: 24,
  sh_size: 32,
  sh_link: 40,
  sh_info: 44,
  sh_addralign: 48,
  sh_entsize: 56,
} as const;
export const ELF64_SYM = { size: 24, st_name: 0, st_info: 4, st_other: 5, st_shndx: 6, st_value: 8, st_size: 16 } as const;
export const ELF64_DYN = { size: 16, d_tag: 0, d_un: 8 } as const;
export const ELF64_NHDR = { size: 12, n_namesz: 0, n_descsz: 4, n_type: 8 } as const;
export const ELF64_AUXV = { size: 16, a_type: 0, a_un: 8 } as const;

/** What the dynamic linker tells debuggers (link.h). `r_next` is there from r_version 2 on. */
export const R_DEBUG = { size: 48, r_version: 0, r_map: 8, r_brk: 16, r_state: 24, r_ldbase: 32, r_next: 40 } as const;
/** The public part of struct link_map. */
export const LINK_MAP = { size: 40, l_addr: 0, l_name: 8, l_ld: 16, l_next: 24, l_prev: 32 } as const;
