/**
 * What can be done about an error: by the code and the facts of the adapter's reply, else by what it says. Pure: no `vscode`. The one place where
 * the adapter's sentences are matched.
 */

export type Advice =
  | { readonly label: string; readonly kind: 'page'; readonly page: string }
  | { readonly label: string; readonly kind: 'terminal'; readonly command: string }
  | { readonly label: string; readonly kind: 'settings'; readonly setting: string }
  | { readonly label: string; readonly kind: 'command'; readonly command: string };

/** Of the error of a DAP reply. */
export type Facts = Readonly<Record<string, string>>;

/** A page of docs/help, which is shipped. */
const showHow = (page: string): Advice => ({ label: 'Show Me How', kind: 'page', page });

/** By `reason` of `cannot-attach`. Of what is missing here (the process has ended, it is a 32-bit one …) the message tells all. */
const ATTACH_PAGES: Readonly<Record<string, string>> = {
  'ptrace-scope-1': 'attach-ptrace-scope',
  'ptrace-scope-2': 'attach-ptrace-scope',
  'ptrace-scope-3': 'attach-ptrace-scope',
  'other-user': 'attach-other-user',
  traced: 'attach-traced',
  capability: 'attach-container',
  seccomp: 'attach-container',
  protected: 'attach-protected',
};

const TABLE: readonly { readonly pattern: RegExp; readonly advice: readonly Advice[] }[] = [
  {
    pattern: /gdb is not installed|(SAVEPOINT_GDB|"gdb") is "/,
    advice: [
      showHow('gdb'),
      { label: 'Install gdb…', kind: 'terminal', command: 'sudo apt-get install gdb' },
      { label: 'Set the path of gdb', kind: 'settings', setting: 'savepoint.gdb' },
    ],
  },
  { pattern: /has no debug information/, advice: [showHow('debug-information')] },
  {
    pattern: /page store: its limit/,
    advice: [{ label: 'Delete all checkpoints', kind: 'command', command: 'savepoint.deleteAll' }],
  },
];

export function adviceFor(message: string, facts: Facts = {}): readonly Advice[] {
  const page = facts['code'] === 'cannot-attach' ? ATTACH_PAGES[facts['reason'] ?? ''] : undefined;
  if (page !== undefined) return [showHow(page)];
  return TABLE.find(({ pattern }) => pattern.test(message))?.advice ?? [];
}
