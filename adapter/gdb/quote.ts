/** Words for gdb's command lines. Pure. */

/** An argument of an MI command: a C string, bytes outside ASCII as they are, line ends escaped. */
export function quoteMi(text: string): string {
  const escaped = text.replace(/["\\\n\t\r]/g, (char) => ({ '\n': '\\n', '\t': '\\t', '\r': '\\r' })[char] ?? `\\${char}`);
  return `"${escaped}"`;
}

/** One argument of the program, as gdb splits `set args` for a remote target (libiberty's buildargv). */
export function quoteProgramArgument(word: string): string {
  if (word === '') return "''";
  return word.replace(/[\s'"\\<>|&;]/g, (char) => `\\${char}`);
}
