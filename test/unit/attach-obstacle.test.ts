/** Why attaching fails: every reason, also those that the machine at hand has not. */

import { type AttachFacts, type ObstacleReason, judgeAttach, readAttachFacts } from '../../native/base/attach-obstacle';

const user = { user: 1000, mayTrace: false, filtered: false };
const root = { user: 0, mayTrace: true, filtered: false };
const facts: AttachFacts = { pid: 5, state: 'S', kernelThread: false, bits: 64, owner: 1000, us: user, scope: undefined };

test.each<[ObstacleReason, Partial<AttachFacts>, RegExp]>([
  ['gone', { state: undefined }, /no process 5/],
  ['zombie', { state: 'Z' }, /has ended already/],
  ['kernel-thread', { kernelThread: true, owner: 0, us: root }, /kernel thread/],
  ['traced', { tracer: { pid: 7, name: 'gdb' } }, /by process 7 \(gdb\)/],
  ['32-bit', { bits: 32 }, /32-bit/],
  ['other-user', { owner: 0, bits: undefined, scope: 1 }, /belongs to user 0/],
  ['ptrace-scope-1', { scope: 1 }, /ptrace_scope is 1; allow it with `sudo sysctl kernel\.yama\.ptrace_scope=0`/],
  ['ptrace-scope-2', { scope: 2 }, /ptrace_scope is 2, and only root may/],
  ['ptrace-scope-3', { scope: 3, us: root, owner: 0 }, /until the next boot/],
  ['capability', { us: { ...root, mayTrace: false }, owner: 0 }, /--cap-add=SYS_PTRACE/],
  ['seccomp', { us: { ...user, filtered: true }, scope: 0 }, /seccomp=unconfined/],
  ['protected', { scope: 0 }, /not dumpable/],
])('%s', (reason, more, sentence) => {
  const found = judgeAttach({ ...facts, ...more });
  expect(found.reason).toBe(reason);
  expect(found.sentence).toMatch(sentence);
});

test('a command is given where one helps', () => {
  expect(judgeAttach({ ...facts, scope: 1 }).command).toBe('sudo sysctl kernel.yama.ptrace_scope=0');
  expect(judgeAttach({ ...facts, state: 'Z' }).command).toBeUndefined();
});

test('facts are read of a process that is there, and of one that is not', () => {
  const mine = readAttachFacts(process.pid);
  expect(mine).toMatchObject({ state: expect.stringMatching(/[RS]/), kernelThread: false, bits: 64, owner: process.getuid?.() });
  expect(mine.us.user).toBe(process.geteuid?.());
  expect(readAttachFacts(0x7fff_fff0).state).toBeUndefined();
});
