/**
 * Dialogues about what gdb reads and writes: registers, memory, points, threads, documents, files, monitor.
 */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { userError } from '../../native/base/errors';
import { PACKET_SIZE } from '../../native/rsp/client';
import { Dialogue, frame, hex } from './support/dialogue';
import { MEMORY_START, PID, thread } from './support/fake-target';

const START = MEMORY_START.toString(16);

describe('registers and memory', () => {
  test('g, G, p and P', () => {
    const dialogue = Dialogue.ready();
    expect(dialogue.one('g')).toBe('00'.repeat(192));
    expect(dialogue.one(`G${'01'.repeat(192)}`)).toBe('OK');
    expect(dialogue.one('P10=0807060504030201')).toBe('OK');
    expect(dialogue.one('p10')).toBe('0807060504030201');
    expect(dialogue.one('p0')).toBe('0101010101010101');
    for (const packet of ['G00', 'G0', 'p99', 'P99=00', 'P10=zz', 'P10', 'p']) expect(dialogue.one(packet)).toBe('E01');
    dialogue.target.dead = true;
    expect(dialogue.one('g')).toBe('E01');
  });

  test('m, M, x and X', () => {
    const dialogue = Dialogue.ready();
    expect(dialogue.one(`M${START},4:23242a7d`)).toBe('OK');
    expect(dialogue.one(`m${START},5`)).toBe('23242a7d00');
    expect(dialogue.one(`x${START},5`)).toBe('b#$*}\0');
    const escaped = Buffer.concat([Buffer.from(`X${START},3:`), Buffer.from([0x7d, 0x03, 1, 0x7d, 0x5d])]);
    expect(dialogue.one(escaped)).toBe('OK');
    expect(dialogue.one(`m${START},4`)).toBe('23017d7d');
    expect(dialogue.one(`X${START},0:`)).toBe('OK');
    expect(dialogue.one(`m${(MEMORY_START + 4094n).toString(16)},8`)).toBe('0000');
    expect(dialogue.one(`m${START},0`)).toBe('');
    for (const packet of ['m0,4', 'mzz', `m${START}`, `M${START},4:00`, 'M0,1:00', `X${START},2:a`, 'm', 'm1,-1'])
      expect(dialogue.one(packet)).toBe('E01');
    dialogue.target.dead = true;
    expect(dialogue.one(`m${START},4`)).toBe('E01');
  });

  test('a reply never exceeds PacketSize', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.memory = Buffer.alloc(1 << 20, '#');
    expect(dialogue.one(`m${START},fffff`).length).toBeLessThanOrEqual(PACKET_SIZE);
    dialogue.output();
    dialogue.raw(frame(`x${START},fffff`));
    expect(dialogue.output().length).toBeLessThanOrEqual(PACKET_SIZE + 8);
  });

  test('qSearch and qCRC', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.memory.write('needle', 1000, 'latin1');
    expect(dialogue.one(`qSearch:memory:${START};1000;needle`)).toBe(`1,${(MEMORY_START + 1000n).toString(16)}`);
    expect(dialogue.one(`qSearch:memory:${START};3ea;needle`)).toBe('0');
    expect(dialogue.one('qSearch:memory:0;10;x')).toBe('E01');
    dialogue.target.memory.write('123456789', 0, 'latin1');
    expect(dialogue.one(`qCRC:${START},9`)).toBe('C376e6e7');
    expect(dialogue.one('qCRC:0,9')).toBe('E01');
  });

  test('breakpoints', () => {
    const dialogue = Dialogue.ready();
    for (const kind of [0, 1, 2, 3, 4]) expect(dialogue.one(`Z${kind},401000,1`)).toBe('OK');
    expect(dialogue.one('z2,401000,8')).toBe('OK');
    expect(dialogue.target.calls).toEqual([
      `insert ${PID} software 401000 1`,
      `insert ${PID} hardware 401000 1`,
      `insert ${PID} watch 401000 1`,
      `insert ${PID} rwatch 401000 1`,
      `insert ${PID} awatch 401000 1`,
      `remove ${PID} watch 401000 8`,
    ]);
    expect(dialogue.one('Z5,1,1')).toBe('');
    expect(dialogue.one('Z0,401000,1;X1,22')).toBe('E01');
    dialogue.target.point = 'unsupported';
    expect(dialogue.one('Z1,401000,1')).toBe('');
    dialogue.target.point = 'failed';
    expect(dialogue.one('Z0,0,1')).toBe('E01');
  });
});

describe('threads', () => {
  test('choosing, asking and listing', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.live.push(thread(0x1062));
    expect(dialogue.one('Hgp1061.1062')).toBe('OK');
    expect(dialogue.one('qC')).toBe('QCp1061.1062');
    expect(dialogue.one('Hgp1061.1099')).toBe('E01');
    expect(dialogue.one('Tp1061.1062')).toBe('OK');
    expect(dialogue.one('Tp1061.1099')).toBe('E01');
    expect(dialogue.one('qfThreadInfo')).toBe('mp1061.1061,p1061.1062');
    expect(dialogue.one('qsThreadInfo')).toBe('l');
    expect(dialogue.one('qThreadExtraInfo,p1061.1062')).toBe(hex('w<4194>'));
    expect(dialogue.one('qXfer:threads:read::0,1000')).toBe(
      'l<threads>\n<thread id="p1061.1061" core="1" name="main"/>\n<thread id="p1061.1062" core="1" name="w&lt;4194&gt;"/>\n</threads>\n',
    );
    expect(dialogue.one('qGetTLSAddr:p1061.1062,10,1000')).toBe('1010');
    expect(dialogue.one('qGetTLSAddr:p1061.1062,10,0')).toBe('E01');
  });

  test('many threads come in pieces', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.live = Array.from({ length: 4500 }, (_unused, index) => thread(PID + index));
    let listed = 0;
    for (let reply = dialogue.one('qfThreadInfo'); reply !== 'l'; reply = dialogue.one('qsThreadInfo'))
      listed += reply.split(',').length;
    expect(listed).toBe(4500);
  });
});

describe('documents', () => {
  test('pieces are of one state', () => {
    const dialogue = Dialogue.ready();
    const xml = dialogue.target.targetXml();
    expect(dialogue.one('qXfer:features:read:target.xml:0,8')).toBe(`m${xml.slice(0, 8)}`);
    expect(dialogue.one(`qXfer:features:read:target.xml:8,1000`)).toBe(`l${xml.slice(8)}`);
    expect(dialogue.one(`qXfer:features:read:target.xml:${xml.length.toString(16)},10`)).toBe('l');
    expect(dialogue.one('qXfer:features:read:target.xml:fff,10')).toBe('E01');
    expect(dialogue.one('qXfer:features:read:other.xml:0,10')).toBe('E01');
    expect(dialogue.one('qXfer:threads:read::0,4')).toBe('m<thr');
    dialogue.target.live = [];
    expect(dialogue.one('qXfer:threads:read::4,400')).toContain('name="main"');
  });

  test('binary ones, and the other objects', () => {
    const dialogue = Dialogue.ready();
    expect(dialogue.one('qXfer:auxv:read::0,1000')).toBe('l!#$}*\0');
    expect(dialogue.one('qXfer:exec-file:read:1061:0,1000')).toBe('l/bin/true');
    expect(dialogue.one('qXfer:exec-file:read::0,1000')).toBe('l/bin/true');
    expect(dialogue.one('qXfer:exec-file:read:zz:0,1000')).toBe('E01');
    expect(dialogue.one('qXfer:libraries-svr4:read:start=7f;prev=0:0,1000')).toBe(
      'l<library-list-svr4 version="1.0" annex="start=7f;prev=0"/>',
    );
    expect(dialogue.one('qXfer:osdata:read:processes:0,40')).toMatch(/^m<\?xml/);
    expect(dialogue.one('qXfer:osdata:read:nothing:0,40')).toBe('E01');
    expect(dialogue.one('qXfer:btrace:read::0,40')).toBe('');
    expect(dialogue.one('qXfer:constructor:read::0,40')).toBe('');
  });

  test('siginfo', () => {
    const dialogue = Dialogue.ready();
    expect(dialogue.one('qXfer:siginfo:read::0,4')).toBe('m\x07\x07\x07\x07');
    expect(dialogue.one('qXfer:siginfo:write::4:ab')).toBe('2');
    expect(dialogue.target.siginfo?.subarray(0, 8).toString('latin1')).toBe('\x07\x07\x07\x07ab\x07\x07');
    expect(dialogue.one('qXfer:siginfo:write::7f:ab')).toBe('E01');
    dialogue.target.siginfo = undefined;
    expect(dialogue.one('qXfer:siginfo:read::0,4')).toBe('E01');
  });
});

describe('files', () => {
  let folder = '';
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rsp-'));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true });
  });

  test('written, measured, read, closed and removed', () => {
    const dialogue = Dialogue.ready();
    const file = path.join(folder, 'f');
    expect(dialogue.one('vFile:setfs:0')).toBe('F0');
    const fd = dialogue.one(`vFile:open:${hex(file)},602,1a4`).slice(1);
    expect(dialogue.one(`vFile:pwrite:${fd},0,a,b:c;`)).toBe('F6');
    expect(dialogue.one(`vFile:pread:${fd},100,2`)).toBe('F4;b:c;');
    expect(dialogue.one(`vFile:pread:${fd},100,64`)).toBe('F0;');
    const status = Buffer.from(dialogue.one(`vFile:fstat:${fd}`).slice('F40;'.length), 'latin1');
    expect(status).toHaveLength(64);
    expect(status.readBigUInt64BE(28)).toBe(6n);
    expect(dialogue.one(`vFile:close:${fd}`)).toBe('F0');
    expect(dialogue.one(`vFile:close:${fd}`)).toBe('F-1,9');
    fs.symlinkSync('there', path.join(folder, 'l'));
    expect(dialogue.one(`vFile:readlink:${hex(path.join(folder, 'l'))}`)).toBe('F5;there');
    expect(dialogue.one(`vFile:unlink:${hex(file)}`)).toBe('F0');
    expect(dialogue.one(`vFile:unlink:${hex(file)}`)).toBe('F-1,2');
    expect(dialogue.one(`vFile:stat:${hex(file)}`)).toBe('F-1,2');
  });

  test('only descriptors that gdb opened can be used, and they are closed with the session', () => {
    const dialogue = Dialogue.ready();
    for (const packet of ['pread:0,1,0', 'pwrite:1,0,x', 'fstat:2', 'close:0'])
      expect(dialogue.one(`vFile:${packet}`)).toBe('F-1,9');
    const fd = Number.parseInt(dialogue.one(`vFile:open:${hex('/proc/self/maps')},0,0`).slice(1), 16);
    dialogue.session.disconnected();
    expect(() => fs.fstatSync(fd)).toThrow('EBADF');
  });

  test('what cannot be opened, and what is no operation', () => {
    const dialogue = Dialogue.ready();
    expect(dialogue.one(`vFile:open:${hex('/nonexistent')},0,0`)).toBe('F-1,2');
    expect(dialogue.one(`vFile:open:${hex('/etc/passwd')},4,0`)).toBe('F-1,16');
    expect(dialogue.one('vFile:sync:1')).toBe('');
    expect(dialogue.one('vFile:constructor:1')).toBe('');
    expect(dialogue.one('vFile:open:zz')).toBe('E01');
    expect(dialogue.one('vFile:setfs:3fffffff')).toBe('F-1,2');
  });
});

describe('monitor', () => {
  test('the text is the reply, for errors as well', () => {
    const dialogue = Dialogue.ready();
    expect(dialogue.one(`qRcmd,${hex(' checkpoint 1 ')}`)).toBe(hex('did checkpoint 1\n'));
    dialogue.monitor = () => '';
    expect(dialogue.one(`qRcmd,${hex('x')}`)).toBe('OK');
    dialogue.monitor = () => {
      throw userError('x', 'no checkpoint 9');
    };
    expect(dialogue.one(`qRcmd,${hex('restore 9')}`)).toBe(hex('no checkpoint 9\n'));
    dialogue.monitor = () => {
      throw new TypeError('oops');
    };
    expect(dialogue.one(`qRcmd,${hex('x')}`)).toBe('E01');
    expect(dialogue.logged.join()).toContain('oops');
    expect(dialogue.one(`qRcmd,${hex('last-error')}`)).toBe(hex('no error so far\n'));
  });

  test('long text is cut', () => {
    const dialogue = Dialogue.ready();
    dialogue.monitor = () => 'x'.repeat(1 << 20);
    const reply = dialogue.one(`qRcmd,${hex('x')}`);
    expect(reply.length).toBeLessThanOrEqual(PACKET_SIZE);
    expect(reply.endsWith(hex('[cut]\n'))).toBe(true);
  });
});

test("QPassSignals: gdb's numbers become the kernel's", () => {
  const dialogue = Dialogue.ready();
  expect(dialogue.one('QPassSignals:e;10;14;17;1a;1b;1c;21;24;25;2c;4c;97;')).toBe('OK');
  expect([...dialogue.target.passed].sort((a, b) => a - b)).toEqual([14, 17, 23, 26, 27, 28, 29]);
  expect(dialogue.one('QPassSignals:')).toBe('OK');
  expect(dialogue.target.passed.size).toBe(0);
  expect(dialogue.one('QProgramSignals:1e;f')).toBe('OK');
  expect([...dialogue.target.takenAlong!].sort((a, b) => a - b)).toEqual([10, 15]);
});
