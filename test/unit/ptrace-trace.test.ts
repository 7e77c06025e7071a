/** The words of the ptrace trace for what wait(2) says. */

import { describeStatus } from '../../native/sys/ptrace-trace';

test.each([
  [0x0000, 'exited 0'],
  [0x2a00, 'exited 42'],
  [0x0009, 'killed SIGKILL'],
  [0x008b, 'killed SIGSEGV'],
  [0x057f, 'stopped SIGTRAP'],
  [0x857f, 'stopped at a system call'],
  [0x227f, 'stopped SIG34'],
  [0x4057f, 'PTRACE_EVENT_EXEC'],
  [0x7057f, 'PTRACE_EVENT_SECCOMP'],
  [0x80057f, 'PTRACE_EVENT_STOP SIGTRAP'],
  [0x80137f, 'PTRACE_EVENT_STOP SIGSTOP'],
  [0x99057f, 'PTRACE_EVENT_153'],
])('0x%s', (status, text) => {
  expect(describeStatus(status)).toBe(text);
});
