/** What an expression or a command might do to the program, as far as its text tells. Pure. */

const WRITES = /(^|[^=!<>])=([^=]|$)|\+\+|--|\bdelete\b|\bnew\b/;
const CALLS = /\w\s*\(/;
const COMMANDS = /^\W*(-exec\s+)?(set|call|compile|restore|jump|python|source)\b/;

export const writes = (expression: string): boolean => WRITES.test(expression);

/** Whether the program may be another one after that. */
export function mayChange(line: string): boolean {
  return WRITES.test(line) || CALLS.test(line) || COMMANDS.test(line);
}
