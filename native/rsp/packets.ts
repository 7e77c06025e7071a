/**
 * The packet table: every packet that is answered other than with the empty reply.
 *
 * A packet that begins with v, q or Q has a name that ends at `:`, `;`, `,` or the end; any other is its first character.
 */

import type { Handler } from './context';
import { insert, remove } from './handlers/breakpoints';
import { fileOperation } from './handlers/files';
import { checksumMemory, readBinary, readHex, searchMemory, writeBinary, writeHex } from './handlers/memory';
import { monitor, passSignals, programSignals, tlsAddress } from './handlers/misc';
import { readAll, readOne, writeAll, writeOne } from './handlers/registers';
import {
  answerActions,
  continueOld,
  continueWithSignalOld,
  interrupt,
  resume,
  stepOld,
  stepWithSignalOld,
} from './handlers/resume';
import { answerAttached, answerHalted, attach, detach, killAll, killProcess, restart, run } from './handlers/run';
import {
  acceptAndIgnore,
  answerSupported,
  enterExtendedMode,
  replyEmpty,
  resetEnvironment,
  setDisableRandomization,
  setEnvironmentVariable,
  setNonStop,
  setStartupWithShell,
  setWorkingFolder,
  startNoAckMode,
  unsetEnvironmentVariable,
} from './handlers/startup';
import { answerAlive, answerCurrent, answerExtraInfo, listFirst, listNext, select } from './handlers/threads';
import { transfer } from './handlers/xfer';

export interface Packet {
  readonly name: string;
  readonly handle: Handler;
  /**
   * While the inferior runs: `now` acts at once, others wait for the stop. `resume`: gdb waits for a stop reply, so an error is
   * told as console text and a stop.
   */
  readonly when?: 'now' | 'resume';
}

export const PACKETS: readonly Packet[] = [
  // handshake and settings
  { name: 'qSupported', handle: answerSupported },
  { name: 'vMustReplyEmpty', handle: replyEmpty },
  { name: 'QStartNoAckMode', handle: startNoAckMode },
  { name: '!', handle: enterExtendedMode },
  { name: 'QNonStop', handle: setNonStop },
  { name: 'QStartupWithShell', handle: setStartupWithShell },
  { name: 'QDisableRandomization', handle: setDisableRandomization },
  { name: 'QSetWorkingDir', handle: setWorkingFolder },
  { name: 'QEnvironmentReset', handle: resetEnvironment },
  { name: 'QEnvironmentHexEncoded', handle: setEnvironmentVariable },
  { name: 'QEnvironmentUnset', handle: unsetEnvironmentVariable },
  // processes
  { name: '?', handle: answerHalted },
  { name: 'vRun', handle: run },
  { name: 'R', handle: restart },
  { name: 'vAttach', handle: attach },
  { name: 'vKill', handle: killProcess },
  { name: 'k', handle: killAll, when: 'now' },
  { name: 'D', handle: detach },
  { name: 'qAttached', handle: answerAttached },
  // going on
  { name: 'vCont?', handle: answerActions },
  { name: 'vCont', handle: resume, when: 'resume' },
  { name: 'c', handle: continueOld, when: 'resume' },
  { name: 's', handle: stepOld, when: 'resume' },
  { name: 'C', handle: continueWithSignalOld, when: 'resume' },
  { name: 'S', handle: stepWithSignalOld, when: 'resume' },
  { name: 'vCtrlC', handle: interrupt, when: 'now' },
  // registers and memory
  { name: 'g', handle: readAll },
  { name: 'G', handle: writeAll },
  { name: 'p', handle: readOne },
  { name: 'P', handle: writeOne },
  { name: 'm', handle: readHex },
  { name: 'M', handle: writeHex },
  { name: 'x', handle: readBinary },
  { name: 'X', handle: writeBinary },
  { name: 'qSearch', handle: searchMemory },
  { name: 'qCRC', handle: checksumMemory },
  { name: 'Z', handle: insert },
  { name: 'z', handle: remove },
  // threads
  { name: 'H', handle: select },
  { name: 'T', handle: answerAlive },
  { name: 'qC', handle: answerCurrent },
  { name: 'qfThreadInfo', handle: listFirst },
  { name: 'qsThreadInfo', handle: listNext },
  { name: 'qThreadExtraInfo', handle: answerExtraInfo },
  { name: 'qGetTLSAddr', handle: tlsAddress },
  // documents, files, the rest
  { name: 'qXfer', handle: transfer },
  { name: 'vFile', handle: fileOperation },
  { name: 'qRcmd', handle: monitor },
  { name: 'QPassSignals', handle: passSignals },
  // gdb says which signals a detach may deliver; we deliver all.
  { name: 'QProgramSignals', handle: programSignals },
  // "I have symbols, do you want some?": we never do.
  { name: 'qSymbol', handle: acceptAndIgnore },
];

const BY_NAME: ReadonlyMap<string, Packet> = new Map(PACKETS.map((packet) => [packet.name, packet]));
/** By first character, for the packets that are named by it. */
const BY_LETTER: readonly (Packet | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  BY_NAME.get(String.fromCharCode(code)),
);

const LOWER_Q = 0x71;
const UPPER_Q = 0x51;
const LOWER_V = 0x76;

function isSeparator(code: number | undefined): boolean {
  return code === 0x3a || code === 0x3b || code === 0x2c;
}

/** Where the packet's name ends, i.e. its arguments begin. */
export function nameLength(payload: Buffer): number {
  const first = payload[0];
  if (first !== LOWER_Q && first !== UPPER_Q && first !== LOWER_V) return Math.min(1, payload.length);
  let at = 1;
  while (at < payload.length && !isSeparator(payload[at])) at += 1;
  return at;
}

/** undefined: unknown, to be answered with the empty reply. */
export function findPacket(payload: Buffer, length = nameLength(payload)): Packet | undefined {
  return length === 1 ? BY_LETTER[payload[0]] : BY_NAME.get(payload.toString('latin1', 0, length));
}
