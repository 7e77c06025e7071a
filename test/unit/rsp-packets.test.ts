/**
 * The packet table against what is announced and against the packets that gdb really sends.
 */

import { OFFERED_OBJECTS, OFFERED_PACKETS } from '../../native/rsp/client';
import { OPERATIONS } from '../../native/rsp/handlers/files';
import { SOURCES } from '../../native/rsp/handlers/xfer';
import { PACKETS, findPacket, nameLength } from '../../native/rsp/packets';

/** One packet of each kind as gdb 13.1 sent it to gdbserver 13.1, and the table's name for it. */
const RECORDED: readonly (readonly [packet: string, name: string | undefined])[] = [
  ['qSupported:multiprocess+;swbreak+', 'qSupported'],
  ['vMustReplyEmpty', 'vMustReplyEmpty'],
  ['QStartNoAckMode', 'QStartNoAckMode'],
  ['!', '!'],
  ['QProgramSignals:0;1;3;4', 'QProgramSignals'],
  ['Hgp0.0', 'H'],
  ['qXfer:features:read:target.xml:0,1000', 'qXfer'],
  ['QNonStop:0', 'QNonStop'],
  ['qTStatus', undefined],
  ['qTfV', undefined],
  ['?', '?'],
  ['QDisableRandomization:1', 'QDisableRandomization'],
  ['QStartupWithShell:1', 'QStartupWithShell'],
  ['QEnvironmentReset', 'QEnvironmentReset'],
  ['QEnvironmentHexEncoded:464f4f3d626172', 'QEnvironmentHexEncoded'],
  ['QEnvironmentUnset:464f4f', 'QEnvironmentUnset'],
  ['QSetWorkingDir:2f746d70', 'QSetWorkingDir'],
  ['vRun;2f62696e2f74727565;6f6e65', 'vRun'],
  ['vAttach;f423f', 'vAttach'],
  ['vKill;1061', 'vKill'],
  ['D;1063', 'D'],
  ['k', 'k'],
  ['R00', 'R'],
  ['qAttached:1061', 'qAttached'],
  ['vFile:setfs:0', 'vFile'],
  ['vFile:pread:5,47ff,0', 'vFile'],
  ['qOffsets', undefined],
  ['g', 'g'],
  ['G00', 'G'],
  ['p10', 'p'],
  ['P39=ffffffffffffffff', 'P'],
  ['m555555554040,2d8', 'm'],
  ['M555555554040,1:00', 'M'],
  ['X555555554040,0:', 'X'],
  ['x555555554040,4', 'x'],
  ['qSymbol::', 'qSymbol'],
  ['Z0,5555555551e1,1', 'Z'],
  ['z0,5555555551e1,1', 'z'],
  ['QPassSignals:e;10;14', 'QPassSignals'],
  ['vCont?', 'vCont?'],
  ['vCont;c:p1061.-1', 'vCont'],
  ['vCtrlC', 'vCtrlC'],
  ['c', 'c'],
  ['s', 's'],
  ['C06', 'C'],
  ['S06', 'S'],
  ['T p1.1', 'T'],
  ['qC', 'qC'],
  ['qCRC:401000,20', 'qCRC'],
  ['qSearch:memory:401000;20;abc', 'qSearch'],
  ['qfThreadInfo', 'qfThreadInfo'],
  ['qsThreadInfo', 'qsThreadInfo'],
  ['qThreadExtraInfo,p1.1', 'qThreadExtraInfo'],
  ['qGetTLSAddr:p1.1,10,7ffff7ffe2e0', 'qGetTLSAddr'],
  ['qRcmd,68656c70', 'qRcmd'],
  ['qTfP', undefined],
  ['qL1200000000000000000', undefined],
  ['vStopped', undefined],
  ['QThreadEvents:1', undefined],
  ['qCatchSyscalls', undefined],
  ['i', undefined],
  ['', undefined],
];

test.each(RECORDED)('%s is %s', (packet, name) => {
  expect(findPacket(Buffer.from(packet))?.name).toBe(name);
});

test('every packet of the table is in the recorded list', () => {
  expect(PACKETS.map(({ name }) => name).filter((name) => !RECORDED.some(([, known]) => known === name))).toEqual([]);
});

test('no two packets share a name, and each name finds its own entry', () => {
  expect(new Set(PACKETS.map(({ name }) => name)).size).toBe(PACKETS.length);
  for (const packet of PACKETS) {
    const payload = Buffer.from(packet.name);
    expect(nameLength(payload)).toBe(payload.length);
    expect(findPacket(payload)).toBe(packet);
  }
});

test('what qSupported offers is there', () => {
  const names = new Set(PACKETS.map(({ name }) => name));
  expect(OFFERED_PACKETS.filter((name) => !names.has(name))).toEqual([]);
  expect(OFFERED_OBJECTS.map((name) => name.split(':')[0]).filter((object) => !(object in SOURCES))).toEqual([]);
});

test("the file operations are gdb's", () => {
  expect(Object.keys(OPERATIONS).sort()).toEqual([
    'close',
    'fstat',
    'lstat',
    'open',
    'pread',
    'pwrite',
    'readlink',
    'setfs',
    'stat',
    'unlink',
  ]);
});
