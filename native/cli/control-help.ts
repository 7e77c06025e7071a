/** What `--help` prints of the control commands. Texts only. */

import type { ControlCommand } from './control-args';

const common = `Which session:
  --session S        an owner's or program's process id (savepoint
                     list-sessions), or a socket's path; not needed when
                     there is only one
  --connect H:P      a session that listens there (--listen), with
  --token-file F     its token, or SAVEPOINT_TOKEN
  --json             for programs`;

const help = (usage: string, text: string): string => `Usage: savepoint ${usage} [OPTIONS]\n\n${text}\n\n${common}`;

export const controlHelp: Readonly<Record<ControlCommand, string>> = {
  'list-sessions': `Usage: savepoint list-sessions [--json]

Lists the debug sessions of this user on this machine: those of savepoint gdb,
savepoint gdbserver and savepoint dap.`,
  checkpoint: help(
    'checkpoint [--label LABEL]',
    `Takes a checkpoint of the program in a debug session, beside its debugger. A
running program is halted for as long as that takes and runs on; the debugger
does not notice.`,
  ),
  list: help('list', 'Lists the checkpoints of a debug session; * is where the present came from.'),
  restore: help(
    'restore ID [--discard]',
    `Puts the program back. A debugger that is attached sees an ordinary stop there.
The state before is kept as a checkpoint of its own, unless --discard is given.
A plain gdb (without savepoint.py) at its prompt cannot be told: then the
restore takes place when it continues or steps next.`,
  ),
  drop: help('drop ID...', 'Forgets checkpoints, in any order; the others stay.'),
  rename: help('rename ID LABEL', 'Gives a checkpoint another label.'),
  compare: help(
    'compare ID [ID]',
    `Tells what differs between a checkpoint and the present, or another checkpoint:
threads, open files, memory. Nothing is restored; a running program is halted
for as long as the look takes. Variables are shown by the editor only.`,
  ),
  preflight: help(
    'preflight',
    `Tells whether a checkpoint can be taken now (exit status 1: no), and what it
would not bring back.`,
  ),
  watch: help('watch', 'Shows the checkpoints, and then each change of them, until the session ends.'),
};
