/**
 * Expressions of the editor (watch, hover, clipboard) and what is typed in the debug console.
 *
 * In the console: `-exec COMMAND`, `>COMMAND` and `` `COMMAND `` go to gdb as they are, `<TEXT` is input for the program, anything else is
 * an expression when it is one, and otherwise a command of gdb's.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { isFamily, refused, userError } from '../../native/base/errors';
import { type Where, evaluateExpression } from '../gdb/commands-data';
import { complete, consoleCommand, gdbSet } from '../gdb/commands-exec';
import type { Core } from './core';
import { mayChange, writes } from './expressions';
import type { Variables } from './variables';

export interface ConsoleHooks {
  /** false: the program reads elsewhere. */
  input(text: string): boolean;
  /** A command was typed: it may have changed anything. */
  afterCommand(): Promise<void>;
}

/** gdb's words for what is not an expression (or names what there is not), not a command, and its way to show a function. */
const NO_EXPRESSION =
  /^(No symbol |A syntax error|Invalid |Unmatched |Junk |Missing |No registers|Argument to|Unrecognized|No type named)/;
const NO_COMMAND = /^(Undefined|Ambiguous) command/;
const IS_FUNCTION = /^\{.*\} 0x[0-9a-f]+ </;

const CATCHES_CALLS = /^\s*t?cat(ch?)?\s+sys/;

const COMMAND = /^(?:-exec\s+|>|`)(.*)$/s;

export class Evaluation {
  constructor(
    private readonly core: Core,
    private readonly variables: Variables,
    private readonly hooks: ConsoleHooks,
  ) {}

  async evaluate(args: DebugProtocol.EvaluateArguments): Promise<DebugProtocol.EvaluateResponse['body']> {
    const where = args.frameId === undefined ? undefined : this.core.frames.get(args.frameId);
    const hex = args.format?.hex === true;
    switch (args.context) {
      case 'repl':
        return await this.typed(args, hex);
      case 'hover':
        return await this.hover(args.expression, where, () => this.variables.evaluate(args.expression, where, hex));
      case 'clipboard':
        this.core.program.requireStopped();
        return { result: await evaluateExpression(this.core.gdb, args.expression, where), variablesReference: 0 };
      default:
        this.core.program.requireStopped();
        return await this.variables.evaluate(args.expression, where, hex);
    }
  }

  /** Looking at something with the mouse must not change it. */
  private async hover<T>(expression: string, where: Where | undefined, evaluate: () => Promise<T>): Promise<T> {
    this.core.program.requireStopped();
    if (writes(expression)) {
      throw refused('hover', expression, 'would change the program; type it in the debug console');
    }
    const { gdb } = this.core;
    await gdbSet(gdb, 'may-call-functions off');
    try {
      // A call is refused now, and gdb says so in its own words.
      if (mayChange(expression)) await evaluateExpression(gdb, expression, where);
      return await evaluate();
    } finally {
      await gdbSet(gdb, 'may-call-functions on');
    }
  }

  private async typed(args: DebugProtocol.EvaluateArguments, hex: boolean): Promise<DebugProtocol.EvaluateResponse['body']> {
    const { expression } = args;
    const command = COMMAND.exec(expression);
    if (command !== null) return await this.command(command[1] as string);
    if (expression.startsWith('<')) {
      if (!this.hooks.input(`${expression.slice(1)}\n`))
        throw userError('no-input', 'the program reads from its own terminal; type it there');
      return { result: '', variablesReference: 0 };
    }
    if (this.core.program.kind !== 'stopped') return await this.command(expression);
    const where = args.frameId === undefined ? undefined : this.core.frames.get(args.frameId);
    let value: DebugProtocol.EvaluateResponse['body'];
    try {
      // A call or an assignment must not be done twice, so it is not opened afterwards to have children.
      value = mayChange(expression)
        ? { result: await evaluateExpression(this.core.gdb, expression, where), variablesReference: 0 }
        : await this.variables.evaluate(expression, where, hex);
    } catch (error) {
      if (!isFamily(error, 'peer') || !NO_EXPRESSION.test(error.message)) throw error;
      return await this.commandInstead(expression, () => {
        throw userError('expression', error.message);
      });
    }
    // `kill` is a function of the C library, too.
    return /^\w+$/.test(expression) && IS_FUNCTION.test(value.result)
      ? await this.commandInstead(expression, () => value)
      : value;
  }

  private async commandInstead<T>(text: string, otherwise: () => T): Promise<T | DebugProtocol.EvaluateResponse['body']> {
    try {
      return await this.command(text);
    } catch (error) {
      if (isFamily(error, 'peer') && NO_COMMAND.test(error.message)) return otherwise();
      throw error;
    }
  }

  private async command(line: string): Promise<DebugProtocol.EvaluateResponse['body']> {
    if (CATCHES_CALLS.test(line)) await this.needCatchableCalls();
    const { text } = await consoleCommand(this.core.gdb, line);
    await this.hooks.afterCommand();
    return { result: text.replace(/\n$/, ''), variablesReference: 0 };
  }

  /** gdb says that the server does not know them when the program runs on, and does not stop then. */
  private async needCatchableCalls(): Promise<void> {
    const { text } = await consoleCommand(this.core.gdb, 'show remote catch-syscalls-packet');
    if (!text.includes('currently disabled')) return;
    throw refused(
      'catch-syscall',
      'catch syscall',
      'this debug server cannot stop the program at system calls; a breakpoint on the function that makes them can ("break write")',
    );
  }

  async completions(args: DebugProtocol.CompletionsArguments): Promise<DebugProtocol.CompletionsResponse['body']> {
    const line = args.text.slice(0, args.column - this.core.conventions.columnBase);
    const prefix = /^(-exec\s+|>|`)?/.exec(line)?.[0] ?? '';
    const typed = line.slice(prefix.length);
    const found = await complete(this.core.gdb, typed);
    const asExpression = prefix === '' && found.length === 0 ? await complete(this.core.gdb, `print ${typed}`) : [];
    const matches = [...found, ...asExpression.map((match) => match.replace(/^print /, ''))];
    // gdb answers with the whole line: what is put in replaces the last word.
    const start = typed.search(/[^\s]*$/);
    return {
      targets: matches.slice(0, MOST_COMPLETIONS).map((match) => ({
        label: match.slice(start),
        start: prefix.length + start,
        length: typed.length - start,
      })),
    };
  }
}

const MOST_COMPLETIONS = 200;
