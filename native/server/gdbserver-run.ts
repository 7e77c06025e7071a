/**
 * The life of one `savepoint gdbserver`: what it prints, where it listens, when it ends. gdbserver(1) is the model, line by line.
 */

import * as fs from 'node:fs';
import { userError } from '../base/errors';
import type { GdbserverServe } from '../cli/gdbserver-args';
import type { OwnerProcess, ServeOptions } from './owner-process';
import { O_RDWR } from '../abi/flags';
import type { StopReport } from '../owner/ops';
import * as io from '../sys/io';

export class GdbserverRun {
  private initialStop: StopReport | undefined;
  private attached: number[] = [];

  constructor(
    private readonly owner: OwnerProcess,
    private readonly plan: GdbserverServe,
  ) {}

  run(): number {
    const { plan } = this;
    const stdio = plan.comm.kind === 'stdio';
    const connection = stdio ? this.takeOverStdio() : undefined;
    const listener = stdio ? -1 : this.listen();
    try {
      const said = this.owner.openControl(plan.listen);
      if (said !== undefined) this.say(said);
      if (plan.mode.kind !== 'multi') this.start();
    } catch (error) {
      if (listener >= 0) this.closeListener(listener);
      this.owner.closeControl();
      throw error;
    }
    if (connection !== undefined) {
      this.say('Remote debugging using stdio');
      this.owner.serve(connection.input, connection.output, this.options(), [], () => undefined);
      this.owner.abandon();
    } else {
      this.announce(listener);
      while (this.serveOne(listener));
      this.closeListener(listener);
    }
    this.owner.closeControl();
    this.owner.nurseToTheEnd();
    return 0;
  }

  private say(text: string): void {
    fs.writeSync(2, `${text}\n`);
  }

  /** gdb speaks on 0 and 1: the program must not. It gets /dev/null and our stderr (as with gdbserver). */
  private takeOverStdio(): { input: number; output: number } {
    const input = io.duplicate(0);
    const output = io.duplicate(1);
    const nothing = io.open('/dev/null', O_RDWR);
    io.duplicateTo(nothing, 0);
    io.duplicateTo(2, 1);
    io.close(nothing);
    return { input, output };
  }

  private listen(): number {
    const { comm } = this.plan;
    if (comm.kind === 'unix') return io.listenUnix(comm.path);
    if (comm.kind === 'tcp') return io.listenTcp(comm.host ?? '', comm.port);
    throw userError('usage', 'nowhere to listen');
  }

  private closeListener(listener: number): void {
    io.close(listener);
    if (this.plan.comm.kind === 'unix') fs.rmSync(this.plan.comm.path, { force: true });
  }

  private announce(listener: number): void {
    const { comm } = this.plan;
    if (comm.kind === 'unix') this.say(`Listening on unix socket ${comm.path}`);
    else this.say(`Listening on port ${io.localPort(listener)}`);
  }

  private start(): void {
    const { mode, wrapper, disableRandomization } = this.plan;
    if (mode.kind === 'launch') {
      this.initialStop = this.owner.target.launch({
        program: mode.program,
        args: mode.args,
        disableRandomization,
        ...(wrapper === undefined ? {} : { wrapper }),
      });
      if (this.initialStop.kind !== 'stopped') return;
      this.owner.checkpoints.hooks.afterStart(this.initialStop.thread.pid);
      this.say(`Process ${[mode.program, ...mode.args].join(' ')} created; pid = ${this.initialStop.thread.pid}`);
    } else if (mode.kind === 'attach') {
      this.initialStop = this.owner.target.attach(mode.pid);
      this.owner.checkpoints.hooks.afterStart(mode.pid);
      this.attached = [mode.pid];
      this.say(`Attached; pid = ${mode.pid}`);
    }
  }

  private options(): ServeOptions {
    const { mode, wrapper } = this.plan;
    return {
      extended: true,
      ...(mode.kind === 'launch' ? { program: { program: mode.program, args: mode.args } } : {}),
      ...(wrapper === undefined ? {} : { wrapper }),
      attached: this.attached,
      ...(this.initialStop === undefined ? {} : { initialStop: this.initialStop }),
    };
  }

  /** false: that was the last one. */
  private serveOne(listener: number): boolean {
    const ready = this.owner.wait([listener]);
    this.initialStop = this.owner.takeAdopted() ?? this.initialStop;
    if (ready.length === 0) return true;
    const client = io.accept(listener);
    if (client === undefined) return true;
    this.say(`Remote debugging from ${client.peer}`);
    const end = this.owner.serve(client.fd, client.fd, this.options(), [], () => undefined);
    io.close(client.fd);
    const left = this.owner.target.pids().length > 0;
    if (this.plan.once || (!left && !this.plan.multi)) {
      this.owner.abandon();
      return false;
    }
    this.initialStop = this.owner.halt();
    if (end === 'disconnected' && left)
      this.say('Remote side has terminated connection.  The program is kept stopped for the next one.');
    return true;
  }
}
