import { type Facts, formatReport, judge } from '../../native/cli/doctor-report';
import { chooseDirtyTier } from '../../native/sys/dirty-tier';

const EPERM = -1;

function facts(changes: Partial<Omit<Facts, 'probes'>> & { probes?: Partial<Facts['probes']> } = {}): Facts {
  const { probes, ...others } = changes;
  return {
    arch: 'x64',
    kernel: 'Linux 6.18.0',
    root: false,
    gdb: { path: '/usr/bin/gdb', version: '13.1', python: true },
    compiler: '/usr/bin/cc',
    errorName: (errno) => (errno === EPERM ? 'EPERM' : 'E?'),
    ...others,
    probes: {
      ptrace: 1,
      writeProtect: 1,
      pagemapScan: 1,
      seccompTrace: 1,
      rseq: 1,
      memWrite: 1,
      debugRegisters: 1,
      pidfdGetfd: 1,
      kcmp: 1,
      ...probes,
    },
  };
}

const row = (report: ReturnType<typeof judge>, name: string) => report.rows.find((candidate) => candidate.name === name);

describe('what follows', () => {
  it('is fine where everything works', () => {
    const report = judge(facts());
    expect(report).toMatchObject({ ok: true, tier: 'write-protect' });
    expect(report.rows.filter((candidate) => candidate.state === 'warn' || candidate.state === 'fail')).toEqual([]);
  });

  it('names the errno of what failed', () => {
    const report = judge(facts({ probes: { ptrace: EPERM } }));
    expect(report.ok).toBe(false);
    expect(row(report, 'ptrace of a child')).toMatchObject({ state: 'fail', found: 'EPERM' });
  });

  it('tells that ended threads do not come back without the seccomp stop', () => {
    expect(row(judge(facts({ probes: { seccompTrace: 0 } })), 'seccomp trace stop')).toMatchObject({
      state: 'warn',
      found: 'no effect',
    });
  });

  test.each([
    [undefined, false, 'ok'],
    [0, false, 'ok'],
    [1, false, 'info'],
    [1, true, 'ok'],
    [2, false, 'fail'],
    [2, true, 'ok'],
    [3, true, 'fail'],
  ])('ptrace_scope %s, root %s: %s', (ptraceScope, root, state) => {
    expect(row(judge(facts({ root, ...(ptraceScope === undefined ? {} : { ptraceScope }) })), 'ptrace_scope')?.state).toBe(state);
  });

  it('needs a gdb, with Python', () => {
    const { gdb: _, ...without } = facts();
    expect(judge(without).ok).toBe(false);
    expect(judge(facts({ gdb: { path: '/usr/bin/gdb', version: '13.1', python: false } })).ok).toBe(false);
    expect(row(judge(facts({ gdb: { path: '/usr/bin/gdb', version: '11.2', python: true } })), 'gdb')?.state).toBe('warn');
  });

  it('is printed one line a row, and a verdict', () => {
    const report = judge(facts());
    const lines = formatReport(report).split('\n');
    expect(lines).toHaveLength(report.rows.length + 2);
    expect(lines.at(-1)).toBe('Debugging with checkpoints works here.');
  });
});

describe('how written pages are found', () => {
  const all = { writeProtect: true, pagemapScan: true };

  test.each([
    [all, undefined, 'write-protect'],
    [{ ...all, pagemapScan: false }, undefined, 'compare'],
    [{ ...all, writeProtect: false }, undefined, 'compare'],
    [all, 'compare', 'compare'],
    [{ ...all, writeProtect: false }, 'write-protect', 'compare'],
    [all, 'nonsense', 'write-protect'],
  ])('%j, forced %s: %s', (works, forced, tier) => {
    expect(chooseDirtyTier(works, forced)).toBe(tier);
  });
});
