/**
 * Stop replies (pure but for the expedited registers, which are read from the target; gdb manual, "Stop Reply Packets").
 *
 * The order of the parts is gdbserver's: reason, registers, thread, core.
 */

import { GONE, type ThreadRef } from '../base/brands';
import { toGdbSignal } from '../abi/gdb-signals';
import type { StopReport, Target } from '../owner/ops';
import type { Client } from './client';
import { FAILED } from './context';
import { encodeHexText } from './hex';
import { formatThread } from './ids';
import type { PacketWriter } from './writer';

export type StoppedReport = Extract<StopReport, { kind: 'stopped' }>;

/** GDB_SIGNAL_TRAP: what events other than signals are reported with. */
const TRAP = 5;

/** Events: their signal in the reply is always SIGTRAP. */
const EVENTS: ReadonlySet<StoppedReport['detail']['kind']> = new Set(['fork', 'vfork', 'vforkdone', 'exec', 'library']);

function writeDetail(out: PacketWriter, detail: StoppedReport['detail'], client: Client): void {
  switch (detail.kind) {
    case 'none':
      return;
    case 'swbreak':
      if (client.swbreak) out.text('swbreak:;');
      return;
    case 'hwbreak':
      if (client.hwbreak) out.text('hwbreak:;');
      return;
    case 'watch':
      out.text(detail.watch);
      out.text(':');
      out.number(detail.addr);
      out.text(';');
      return;
    case 'fork':
    case 'vfork':
      out.text(`${detail.kind}:${formatThread(detail.child, client.multiprocess)};`);
      return;
    case 'vforkdone':
      out.text('vforkdone:;');
      return;
    case 'exec':
      out.text(`exec:${encodeHexText(detail.path)};`);
      return;
    case 'library':
      out.text('library:;');
  }
}

function writeRegisters(out: PacketWriter, thread: ThreadRef, target: Target): void {
  for (const regno of target.expedited) {
    const value = target.readRegister(thread, regno);
    // A register that cannot be had now is left out; gdb asks for it and gets the error.
    if (value === GONE || value === undefined) continue;
    out.hexByte(regno);
    out.text(':');
    out.hexBytes(value);
    out.text(';');
  }
}

/** Writes `T…`, `W…`, `X…` or `N` (an error for a client that does not know N, as gdbserver does). `core`: the CPU for MI's `core=`, when it is known without asking the kernel. */
export function writeStopReply(
  out: PacketWriter,
  report: StopReport,
  client: Client,
  target: Target,
  core: number | undefined,
): void {
  if (report.kind === 'stopped') {
    out.text('T');
    out.hexByte(EVENTS.has(report.detail.kind) ? TRAP : toGdbSignal(report.signal));
    writeDetail(out, report.detail, client);
    writeRegisters(out, report.thread, target);
    writeThread(out, report.thread, client);
    if (core !== undefined) {
      out.text('core:');
      out.number(core);
      out.text(';');
    }
    return;
  }
  if (report.kind === 'no-resumed') {
    out.text(client.noResumed ? 'N' : FAILED);
    return;
  }
  const exited = report.kind === 'exited';
  const status = exited ? report.code & 0xff : toGdbSignal(report.signal);
  out.text(exited ? 'W' : 'X');
  if (client.multiprocess) {
    out.number(status);
    out.text(';process:');
    out.number(report.pid);
  } else out.hexByte(status);
}

/** The answer that makes gdb read the libraries again and then resume by itself. */
export function writeLibraryReply(out: PacketWriter, thread: ThreadRef, client: Client): void {
  out.text('T05library:;');
  writeThread(out, thread, client);
}

function writeThread(out: PacketWriter, thread: ThreadRef, client: Client): void {
  out.text('thread:');
  if (client.multiprocess) {
    out.text('p');
    out.number(thread.pid);
    out.text('.');
  }
  out.number(thread.tid);
  out.text(';');
}
