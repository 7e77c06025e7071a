import { constants } from 'node:fs';
import { SavepointError } from '../../native/base/errors';
import { PLAIN_CLIENT, readClient, supportedReply } from '../../native/rsp/client';
import { Cursor } from '../../native/rsp/cursor';
import { encodeStatus, fileError, hostOpenFlags } from '../../native/rsp/file-io';
import { updateCrc } from '../../native/rsp/handlers/memory';
import { decodeHex, writeHex } from '../../native/rsp/hex';
import { formatThread, readThreadSpec } from '../../native/rsp/ids';
import { LaunchSettings } from '../../native/rsp/launch-settings';
import { osData } from '../../native/rsp/os-data';
import { transition, type Phase, type PhaseEvent } from '../../native/rsp/phase';
import { splitRedirections } from '../../native/rsp/redirect';
import { readVCont } from '../../native/rsp/vcont';
import { escapeXml } from '../../native/rsp/xml';
import { withSeed } from './support/random';

const at = (text: string): Cursor => new Cursor().reset(Buffer.from(text, 'latin1'));

describe('hex', () => {
  test('every byte comes back, short or long, in either case of letters', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_unused, byte) => byte));
    for (const data of [all, all.subarray(0, 40), Buffer.alloc(0)]) {
      const digits = Buffer.alloc(2 * data.length);
      writeHex(digits, 0, data);
      expect(digits.toString()).toBe(data.toString('hex'));
      expect(decodeHex(digits)).toEqual(data);
      expect(decodeHex(Buffer.from(digits.toString().toUpperCase()))).toEqual(data);
    }
  });

  test('an odd number of digits and other characters are no bytes', () => {
    for (const text of ['1', '1g', 'g1', ' 1', '0x', `${'00'.repeat(300)}zz`, '00'.repeat(300).replace(/.$/, '-')]) {
      expect(decodeHex(Buffer.from(text))).toBeUndefined();
    }
  });
});

describe('cursor', () => {
  test('addresses are exact over all 64 bits', () => {
    for (const value of [0n, 1n, 0xfffffffffffffn, 0x10000000000001n, 0xffffffffff600000n, 0xffffffffffffffffn]) {
      expect(at(value.toString(16)).address()).toBe(value);
    }
  });

  test('what is no number, or too large, is refused', () => {
    for (const text of ['', 'x', '-1', '10000000000000000']) expect(() => at(text).address()).toThrow(SavepointError);
    expect(() => at('ffffffffffffffff').number()).toThrow('too large');
  });
});

describe('thread ids', () => {
  test.each([
    ['0', { pid: 'any', tid: 'any' }],
    ['-1', { pid: 'all', tid: 'all' }],
    ['1f', { pid: 'any', tid: 31 }],
    ['p1061.1062', { pid: 0x1061, tid: 0x1062 }],
    ['p1061.-1', { pid: 0x1061, tid: 'all' }],
    ['p1061', { pid: 0x1061, tid: 'all' }],
    ['p0.0', { pid: 'any', tid: 'any' }],
    ['p-1.-1', { pid: 'all', tid: 'all' }],
  ])('%s', (text, spec) => {
    expect(readThreadSpec(at(text))).toEqual(spec);
  });

  test('formatted with and without the process', () => {
    expect(formatThread({ pid: 0x1061, tid: 0x1062 }, true)).toBe('p1061.1062');
    expect(formatThread({ pid: 0x1061, tid: 0x1062 }, false)).toBe('1062');
  });

  test.each(['p', 'x', '-2', 'p1.', ''])('%j is none', (text) => {
    expect(() => readThreadSpec(at(text))).toThrow(SavepointError);
  });
});

describe('vCont', () => {
  test.each([
    [';c', [{ action: { kind: 'continue', signal: 0 } }]],
    [';c:p1061.-1', [{ pid: 0x1061, action: { kind: 'continue', signal: 0 } }]],
    [';s:p1061.1062', [{ pid: 0x1061, tid: 0x1062, action: { kind: 'step', signal: 0 } }]],
    [
      ';C06:p1061.1061;c:p1061.-1',
      [
        { pid: 0x1061, tid: 0x1061, action: { kind: 'continue', signal: 6 } },
        { pid: 0x1061, action: { kind: 'continue', signal: 0 } },
      ],
    ],
    [';S0b:1', [{ tid: 1, action: { kind: 'step', signal: 11 } }]],
    [';r401000,401010:p1.1', [{ pid: 1, tid: 1, action: { kind: 'range', start: 0x401000n, end: 0x401010n } }]],
    [';t:p1.1;c', [{ pid: 1, tid: 1, action: { kind: 'stop' } }, { action: { kind: 'continue', signal: 0 } }]],
  ])('%s', (text, entries) => {
    expect(readVCont(at(text))).toEqual(entries);
  });

  test.each(['', ';', 'c', ';x', ';c;', ';C', ';r1', ';r1,', ';c:', ';s:pz'])('%j is refused', (text) => {
    expect(() => readVCont(at(text))).toThrow(SavepointError);
  });
});

describe('redirections', () => {
  const write = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  const append = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;

  test.each<[string[], string[], object[]]>([
    [['a', '>out', 'b'], ['a', 'b'], [{ fd: 1, path: 'out', flags: write }]],
    [['>', 'out'], [], [{ fd: 1, path: 'out', flags: write }]],
    [['<in'], [], [{ fd: 0, path: 'in', flags: constants.O_RDONLY }]],
    [['2>err'], [], [{ fd: 2, path: 'err', flags: write }]],
    [['>>log'], [], [{ fd: 1, path: 'log', flags: append }]],
    [['>|', 'x'], [], [{ fd: 1, path: 'x', flags: write }]],
    [['<>', 'x'], [], [{ fd: 0, path: 'x', flags: constants.O_RDWR | constants.O_CREAT }]],
    [
      ['>a', '2>&1'],
      [],
      [
        { fd: 1, path: 'a', flags: write },
        { fd: 2, dup: 1 },
      ],
    ],
    [['>&2'], [], [{ fd: 1, dup: 2 }]],
    [
      ['&>all'],
      [],
      [
        { fd: 1, path: 'all', flags: write },
        { fd: 2, dup: 1 },
      ],
    ],
    [['<html>', 'a>b', '->', '--x=>y', '2', ''], ['<html>', 'a>b', '->', '--x=>y', '2', ''], []],
  ])('%j', (words, args, redirect) => {
    expect(splitRedirections(words)).toEqual({ args, redirect });
  });

  test.each([['>'], ['3>x'], ['2>&7'], ['2>&x']])('%j cannot be done', (word) => {
    expect(() => splitRedirections([word])).toThrow(SavepointError);
  });
});

describe('launch settings', () => {
  const settings = (): LaunchSettings => new LaunchSettings(undefined, undefined, () => ['A=1', 'B=2=3']);

  test('without edits the environment is left to the owner', () => {
    expect(settings().specFor('/bin/true', ['x', '>y'])).toMatchObject({
      program: '/bin/true',
      args: ['x'],
      disableRandomization: true,
    });
    expect(settings().specFor('/bin/true', []).env).toBeUndefined();
  });

  test('set and unset variables change it', () => {
    const launch = settings();
    launch.setVariable('C', 'x=y');
    launch.setVariable('A', '7');
    launch.unsetVariable('B');
    expect(launch.specFor('/p', []).env).toEqual(['C=x=y', 'A=7']);
    launch.resetEnvironment();
    expect(launch.specFor('/p', []).env).toBeUndefined();
  });

  test('no file name means the last program, with its arguments when there are none', () => {
    const launch = settings();
    expect(() => launch.specFor('', [])).toThrow('no program');
    launch.specFor('/p', ['1', '>o']);
    expect(launch.specFor('', [])).toMatchObject({ program: '/p', args: ['1'], redirect: [{ fd: 1, path: 'o' }] });
    expect(launch.specFor('', ['2'])).toMatchObject({ program: '/p', args: ['2'] });
  });

  test('without a shell a redirection is an argument', () => {
    const launch = settings();
    launch.startupWithShell = false;
    expect(launch.specFor('/p', ['>o'])).toMatchObject({ args: ['>o'] });
  });
});

describe('qSupported', () => {
  test('fork events need multiprocess', () => {
    expect(readClient('fork-events+;vfork-events+;swbreak+')).toEqual({ ...PLAIN_CLIENT, swbreak: true });
    expect(readClient('multiprocess+;fork-events+').forkEvents).toBe(true);
    expect(readClient('multiprocess-;swbreak?')).toEqual(PLAIN_CLIENT);
  });

  test('error-message is answered to those who know it', () => {
    expect(supportedReply(PLAIN_CLIENT)).not.toContain('error-message');
    expect(supportedReply(readClient('error-message+'))).toContain(';error-message+');
  });
});

describe('files', () => {
  test('errors and flags have their own numbers', () => {
    expect(fileError('ENOENT')).toBe('F-1,2');
    expect(fileError('ENAMETOOLONG')).toBe('F-1,5b');
    expect(fileError('EXDEV')).toBe('F-1,270f');
    expect(hostOpenFlags(0x601)).toBe(constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);
    expect(hostOpenFlags(0x4)).toBeUndefined();
    expect(hostOpenFlags(3)).toBeUndefined();
  });

  test('struct stat is 64 bytes, big endian', () => {
    const status = { dev: 1, ino: 2, mode: 0o100644, nlink: 3, uid: 4, gid: 5, rdev: 6, size: 7, blksize: 8, blocks: 9 };
    const bytes = encodeStatus({ ...status, atimeMs: 10_999, mtimeMs: 11_000, ctimeMs: 12_000 });
    expect(bytes.toString('hex')).toBe(
      '0000000100000002000081a400000003000000040000000500000006' +
        '000000000000000700000000000000080000000000000009' +
        '0000000a0000000b0000000c',
    );
  });
});

test('the CRC is the one gdb computes', () => {
  // xcrc32 of "123456789" from all ones: CRC-32/MPEG-2's published check value.
  expect(updateCrc(0xffffffff, Buffer.from('123456789'))).toBe(0x0376e6e7);
});

test('XML text is escaped and has no control characters', () => {
  expect(escapeXml('a<b>&"\'\x01\x7f\n')).toBe('a&lt;b&gt;&amp;&quot;&apos;??\n');
});

test('"info os" lists this very process', () => {
  expect(osData('processes')).toContain(`<column name="pid">${process.pid}</column>`);
  expect(osData('')).toContain('<column name="Type">processes</column>');
  expect(osData('constructor')).toBeUndefined();
});

test('the phase table has no way out of ended and no way into running but resume', () => {
  const phases: Phase[] = ['idle', 'running', 'ended'];
  const events: PhaseEvent[] = ['resume', 'stop', 'abandon', 'disconnect'];
  const ways = phases.flatMap((phase) => events.map((event) => `${phase} ${event} ${transition(phase, event) ?? '-'}`));
  expect(ways.filter((way) => !way.endsWith('-'))).toEqual([
    'idle resume running',
    'idle disconnect ended',
    'running stop idle',
    'running abandon idle',
    'running disconnect ended',
  ]);
});

test('parsers refuse random text with a PeerError and nothing else', () => {
  withSeed((random) => {
    const alphabet = ';:,.-p0123456789abcdefcsrtCS'.split('');
    for (let round = 0; round < 4000; round += 1) {
      const text = Array.from({ length: random.int(16) }, () => random.pick(alphabet)).join('');
      for (const parse of [readVCont, readThreadSpec]) {
        try {
          parse(at(text));
        } catch (error) {
          expect(error).toMatchObject({ family: 'peer' });
        }
      }
    }
  });
});
