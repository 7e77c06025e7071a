/** What can be done about an error, by what it says. Pure: no `vscode`. The one place where the adapter's sentences are matched. */

export type Advice =
  | { readonly label: string; readonly kind: 'terminal'; readonly command: string }
  | { readonly label: string; readonly kind: 'settings'; readonly setting: string }
  | { readonly label: string; readonly kind: 'command'; readonly command: string };

const TABLE: readonly { readonly pattern: RegExp; readonly advice: readonly Advice[] }[] = [
  {
    pattern: /gdb is not installed|SAVEPOINT_GDB is/,
    advice: [
      { label: 'Install gdb…', kind: 'terminal', command: 'sudo apt-get install gdb' },
      { label: 'Set the path of gdb', kind: 'settings', setting: 'savepoint.gdb' },
    ],
  },
  {
    pattern: /not permitted|EPERM|ptrace_scope/,
    advice: [{ label: 'Show me how', kind: 'terminal', command: 'sudo sysctl kernel.yama.ptrace_scope=0' }],
  },
  {
    pattern: /page store: its limit/,
    advice: [{ label: 'Delete all checkpoints', kind: 'command', command: 'savepoint.deleteAll' }],
  },
];

export function adviceFor(message: string): readonly Advice[] {
  return TABLE.find(({ pattern }) => pattern.test(message))?.advice ?? [];
}
