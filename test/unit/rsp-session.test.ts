/**
 * Dialogues about the session itself: handshake, processes, resuming, stops. The shapes are those of gdbserver 13.1 where it has them.
 */

import { kernelError } from '../../native/base/errors';
import { PACKET_SIZE } from '../../native/rsp/client';
import { Dialogue, GDB_13, GDB_16, frame, hex } from './support/dialogue';
import { FakeTarget, MEMORY_START, PID, stopped, thread } from './support/fake-target';

const START = MEMORY_START.toString(16);
const EXPEDITED = '06:0000000000000000;07:0000000000000000;10:0000000000000000;';
const ID = 'thread:p1061.1061;';

describe('acknowledgement', () => {
  test('each packet is acknowledged until QStartNoAckMode', () => {
    const dialogue = new Dialogue();
    dialogue.raw(frame('vMustReplyEmpty'));
    expect(dialogue.output()).toBe('+$#00');
    dialogue.raw(Buffer.from('-'));
    expect(dialogue.output()).toBe('$#00');
    dialogue.raw(Buffer.from('$g#00'));
    expect(dialogue.output()).toBe('-');
    dialogue.raw(frame('QStartNoAckMode'));
    expect(dialogue.output()).toBe('+$OK#9a');
    dialogue.raw(Buffer.from('+'));
    dialogue.raw(frame('qC'));
    expect(dialogue.output()).toBe(frame('QC1061').toString());
  });

  test('without acknowledgement a broken packet gets an error, not silence', () => {
    const dialogue = Dialogue.ready();
    dialogue.raw(Buffer.from('$g#00'));
    expect(dialogue.payloads()).toEqual(['E01']);
  });

  test('a packet longer than PacketSize gets an error and the session goes on', () => {
    const dialogue = Dialogue.ready();
    dialogue.raw(frame('x'.repeat(PACKET_SIZE + 100)));
    expect(dialogue.payloads()).toEqual(['E01']);
    expect(dialogue.one('qC')).toBe('QCp1061.1061');
  });
});

describe('handshake', () => {
  test('gdb 13', () => {
    const dialogue = new Dialogue();
    expect(dialogue.one(`qSupported:${GDB_13}`)).toBe(
      'PacketSize=40040;QPassSignals+;QProgramSignals+;QStartNoAckMode+;QStartupWithShell+;QEnvironmentHexEncoded+;QEnvironmentReset+;' +
        'QEnvironmentUnset+;QSetWorkingDir+;QDisableRandomization+;qXfer:features:read+;qXfer:auxv:read+;qXfer:exec-file:read+;' +
        'qXfer:libraries-svr4:read+;qXfer:siginfo:read+;qXfer:siginfo:write+;qXfer:threads:read+;qXfer:osdata:read+;multiprocess+;' +
        'fork-events+;vfork-events+;exec-events+;vContSupported+;swbreak+;hwbreak+;no-resumed+;augmented-libraries-svr4-read+;binary-upload+',
    );
    expect(dialogue.target.features).toEqual({
      forkEvents: true,
      vforkEvents: true,
      execEvents: true,
      swbreak: true,
      hwbreak: true,
    });
    expect(dialogue.ask('vMustReplyEmpty')).toEqual(['']);
    expect(dialogue.ask('!')).toEqual(['OK']);
    expect(dialogue.ask('QProgramSignals:0;1;3')).toEqual(['OK']);
    expect(dialogue.ask('qTStatus')).toEqual(['']);
    expect(dialogue.ask('qSymbol::')).toEqual(['OK']);
    expect(dialogue.ask('QNonStop:0')).toEqual(['OK']);
    expect(dialogue.ask('QNonStop:1')).toEqual(['E01']);
  });

  test('`target extended-remote` can be refused', () => {
    expect(Dialogue.ready({ options: { extended: false } }).one('!')).toBe('');
  });

  test('without a process', () => {
    const dialogue = Dialogue.ready({ target: new FakeTarget(false) });
    expect(dialogue.one('Hgp0.0')).toBe('E01');
    expect(dialogue.one('qXfer:features:read:target.xml:0,1000')).toBe('E01');
    expect(dialogue.one('qXfer:threads:read::0,1000')).toBe('l<threads>\n</threads>\n');
    expect(dialogue.one('?')).toBe('W00');
    for (const packet of ['g', `m${START},4`, 'qC', 'vCont;c', 'c', 'Z0,1,1', 'qAttached:1', 'D', 'vKill;1'])
      expect(dialogue.one(packet)).toBe('E01');
  });

  test('`?` tells of the program that was there before gdb', () => {
    expect(Dialogue.ready().one('?')).toBe(`T05${EXPEDITED}${ID}`);
    expect(Dialogue.ready({ options: { initialStop: stopped({ signal: 19 }), coreOf: () => 3 } }).one('?')).toBe(
      `T11${EXPEDITED}${ID}core:3;`,
    );
  });
});

describe('stop replies', () => {
  const tell = (report: Parameters<Dialogue['stop']>[0], features = GDB_13): string[] => {
    const dialogue = Dialogue.ready({}, features);
    dialogue.ask('vCont;c');
    return dialogue.stop(report);
  };

  test.each([
    [stopped(), `T05${EXPEDITED}${ID}`],
    [stopped({ signal: 0 }), `T00${EXPEDITED}${ID}`],
    [stopped({ signal: 10 }), `T1e${EXPEDITED}${ID}`],
    [stopped({ thread: thread(0x1062) }), `T05${EXPEDITED}thread:p1061.1062;`],
    [stopped({ detail: { kind: 'swbreak' } }), `T05swbreak:;${EXPEDITED}${ID}`],
    [stopped({ detail: { kind: 'hwbreak' } }), `T05hwbreak:;${EXPEDITED}${ID}`],
    [stopped({ detail: { kind: 'watch', watch: 'awatch', addr: 0x55555555805cn } }), `T05awatch:55555555805c;${EXPEDITED}${ID}`],
    [stopped({ signal: 17, detail: { kind: 'fork', child: thread(0x1063, 0x1063) } }), `T05fork:p1063.1063;${EXPEDITED}${ID}`],
    [stopped({ detail: { kind: 'vfork', child: thread(0x1063, 0x1063) } }), `T05vfork:p1063.1063;${EXPEDITED}${ID}`],
    [stopped({ detail: { kind: 'vforkdone' } }), `T05vforkdone:;${EXPEDITED}${ID}`],
    [stopped({ detail: { kind: 'exec', path: '/bin/é' } }), `T05exec:2f62696e2fc3a9;${EXPEDITED}${ID}`],
    [stopped({ detail: { kind: 'library' } }), `T05library:;${EXPEDITED}${ID}`],
    [{ kind: 'exited', pid: PID, code: 9 } as const, 'W9;process:1061'],
    [{ kind: 'signalled', pid: PID, signal: 6 } as const, 'X6;process:1061'],
    [{ kind: 'no-resumed' } as const, 'N'],
  ])('%j', (report, reply) => {
    expect(tell(report)).toEqual([reply]);
  });

  test('for a client that announced nothing', () => {
    expect(tell(stopped({ detail: { kind: 'swbreak' } }), '')).toEqual([`T05${EXPEDITED}thread:1061;`]);
    expect(tell({ kind: 'exited', pid: PID, code: 0 }, '')).toEqual(['W00']);
    expect(tell({ kind: 'signalled', pid: PID, signal: 7 }, '')).toEqual(['X0a']);
    expect(tell({ kind: 'no-resumed' }, '')).toEqual(['E01']);
  });

  test('the thread of a stop is the selected one, and a dead one has no registers in it', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.live.push(thread(0x1062));
    dialogue.ask('vCont;c');
    dialogue.target.dead = true;
    expect(dialogue.stop(stopped({ thread: thread(0x1062) }))).toEqual(['T05thread:p1061.1062;']);
    expect(dialogue.one('qC')).toBe('QCp1061.1062');
  });
});

describe('resuming', () => {
  test('a stop is the answer; before it only ^C, vCtrlC and k act', () => {
    const dialogue = Dialogue.ready();
    expect(dialogue.ask('vCont;s:p1061.1061;c:p1061.-1')).toEqual([]);
    expect(dialogue.session.phase).toBe('running');
    expect(dialogue.target.resumed).toEqual([
      [
        { pid: PID, tid: PID, action: { kind: 'step', signal: 0 } },
        { pid: PID, action: { kind: 'continue', signal: 0 } },
      ],
    ]);
    expect(dialogue.ask('qC')).toEqual([]);
    expect(dialogue.ask(`m${START},2`)).toEqual([]);
    dialogue.raw(Buffer.from([3]));
    expect(dialogue.ask('vCtrlC')).toEqual(['OK']);
    expect(dialogue.target.calls).toEqual(['interrupt', 'interrupt']);
    expect(dialogue.stop(stopped({ signal: 2 }))).toEqual([`T02${EXPEDITED}${ID}`, 'QCp1061.1061', '0000']);
    dialogue.raw(Buffer.from([3]));
    expect(dialogue.target.calls).toHaveLength(2);
  });

  test('a queued resume runs before what was queued behind it', () => {
    const dialogue = Dialogue.ready();
    dialogue.ask('vCont;c');
    dialogue.ask('vCont;c');
    dialogue.ask('qC');
    expect(dialogue.stop(stopped())).toEqual([`T05${EXPEDITED}${ID}`]);
    expect(dialogue.stop(stopped())).toEqual([`T05${EXPEDITED}${ID}`, 'QCp1061.1061']);
  });

  test('a target that stops at once', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.onResume = () => dialogue.session.onStop(stopped());
    expect(dialogue.ask('vCont;s:p1061.1061')).toEqual([`T05${EXPEDITED}${ID}`]);
    expect(dialogue.session.phase).toBe('idle');
  });

  test('signals are translated, ranges kept', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.onResume = () => dialogue.session.onStop(stopped());
    dialogue.ask('vCont;C1e:p1061.1061;c');
    dialogue.ask('vCont;r401000,401020:p1061.1061');
    expect(dialogue.target.resumed).toEqual([
      [{ pid: PID, tid: PID, action: { kind: 'continue', signal: 10 } }, { action: { kind: 'continue', signal: 0 } }],
      [{ pid: PID, tid: PID, action: { kind: 'range', start: 0x401000n, end: 0x401020n } }],
    ]);
    expect(dialogue.one('vCont;C8f')).toBe('E01');
  });

  test('the packets from before vCont', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.onResume = () => dialogue.session.onStop(stopped());
    dialogue.one('Hc-1');
    for (const packet of ['c', 's', 'C0a', 'S02']) dialogue.one(packet);
    dialogue.one('Hcp1061.1061');
    dialogue.one('c');
    const rest = { action: { kind: 'continue', signal: 0 } };
    expect(dialogue.target.resumed).toEqual([
      [rest],
      [{ pid: PID, tid: PID, action: { kind: 'step', signal: 0 } }, rest],
      [{ pid: PID, tid: PID, action: { kind: 'continue', signal: 7 } }, rest],
      [{ pid: PID, tid: PID, action: { kind: 'step', signal: 2 } }, rest],
      [{ pid: PID, tid: PID, action: { kind: 'continue', signal: 0 } }],
    ]);
    expect(dialogue.one('c401000')).toBe('E01');
    expect(dialogue.one('C0a;401000')).toBe('E01');
  });

  test('what would resume nobody is an error rather than a stop that never comes', () => {
    const dialogue = Dialogue.ready();
    for (const packet of ['vCont;c:p1.-1', 'vCont;s:p1061.1099', 'vCont;t', 'vCont;', 'vCont;x'])
      expect(dialogue.one(packet)).toBe('E01');
    expect(dialogue.session.phase).toBe('idle');
    expect(dialogue.one('vCont?')).toBe('vCont;c;C;s;S;r');
  });

  test('a resume that fails tells why and is a stop with signal 0', () => {
    const dialogue = Dialogue.ready();
    dialogue.target.onResume = () => {
      throw kernelError('ptrace(PTRACE_CONT)', 1, 'EPERM');
    };
    expect(dialogue.ask('vCont;c')).toEqual([`O${hex('ptrace(PTRACE_CONT): EPERM\n')}`, `T00${EXPEDITED}${ID}`]);
    expect(dialogue.session.phase).toBe('idle');
  });

  test('notes reach gdb when it waits for a stop', () => {
    const dialogue = Dialogue.ready();
    dialogue.session.onNote('early');
    expect(dialogue.output()).toBe('');
    expect(dialogue.ask('vCont;c')).toEqual([`O${hex('early\n')}`]);
    dialogue.session.onNote('late\n');
    expect(dialogue.payloads()).toEqual([`O${hex('late\n')}`]);
  });

  test('k ends everything without a reply, also while running', () => {
    const dialogue = Dialogue.ready();
    dialogue.ask('vCont;c');
    expect(dialogue.ask('k')).toEqual([]);
    expect(dialogue.session.phase).toBe('idle');
    expect(dialogue.stop({ kind: 'signalled', pid: PID, signal: 9 })).toEqual([]);
    expect(dialogue.one('?')).toBe('W00');
  });
});

describe('processes', () => {
  test('vRun starts what gdb asked for', () => {
    const dialogue = Dialogue.ready({ target: new FakeTarget(false) });
    for (const packet of [
      'QDisableRandomization:0',
      'QStartupWithShell:1',
      'QEnvironmentReset',
      `QSetWorkingDir:${hex('/tmp')}`,
    ]) {
      expect(dialogue.one(packet)).toBe('OK');
    }
    expect(dialogue.one(`vRun;${hex('/bin/x')};${hex('one')};;${hex('>out')}`)).toBe(`T05${EXPEDITED}${ID}`);
    expect(dialogue.target.launched).toMatchObject({
      program: '/bin/x',
      args: ['one', ''],
      cwd: '/tmp',
      disableRandomization: false,
      redirect: [{ fd: 1, path: 'out' }],
    });
    expect(dialogue.started).toEqual([PID]);
    expect(dialogue.one('qAttached:1061')).toBe('0');
  });

  test('environment edits', () => {
    const dialogue = Dialogue.ready({ target: new FakeTarget(false), options: { environment: () => ['A=1', 'B=2'] } });
    dialogue.one(`QEnvironmentHexEncoded:${hex('C=3=4')}`);
    dialogue.one(`QEnvironmentUnset:${hex('A')}`);
    expect(dialogue.one(`QEnvironmentHexEncoded:${hex('=x')}`)).toBe('E01');
    dialogue.one(`vRun;${hex('/bin/x')}`);
    expect(dialogue.target.launched?.env).toEqual(['B=2', 'C=3=4']);
  });

  test('the default program', () => {
    const program = { program: '/bin/p', args: ['a'] };
    const dialogue = Dialogue.ready({ target: new FakeTarget(false), options: { program } });
    dialogue.one('vRun;');
    expect(dialogue.target.launched).toMatchObject(program);
    expect(Dialogue.ready({ target: new FakeTarget(false) }).one('vRun;')).toBe('E01');
  });

  test('a start that fails: the text goes where it can be read', () => {
    const old = Dialogue.ready({ target: new FakeTarget(false) });
    expect(old.one(`vRun;${hex('/nonexistent')}`)).toBe('E01');
    expect(old.logged).toEqual(['savepoint: /nonexistent: no such file']);
    expect(old.one(`qRcmd,${hex('last-error')}`)).toBe(hex('/nonexistent: no such file\n'));
    const young = Dialogue.ready({ target: new FakeTarget(false) }, GDB_16);
    expect(young.one(`vRun;${hex('/nonexistent')}`)).toBe('E./nonexistent: no such file');
    expect(young.one('vAttach;1')).toBe('E.process 1 does not exist');
  });

  test('attach and detach', () => {
    const dialogue = Dialogue.ready({ target: new FakeTarget(false) });
    expect(dialogue.one('vAttach;4d')).toBe(`T11${EXPEDITED}thread:p4d.4d;`);
    expect(dialogue.one('qAttached:4d')).toBe('1');
    expect(dialogue.started).toEqual([77]);
    expect(dialogue.one('D;99')).toBe('E01');
    expect(dialogue.one('D;4d')).toBe('OK');
    expect(dialogue.one('?')).toBe('W00');
    dialogue.session.disconnected();
    dialogue.session.disconnected();
    expect(dialogue.ends).toEqual(['detached']);
  });

  test('the child of an attached process is attached, too', () => {
    const dialogue = Dialogue.ready({ options: { attached: [PID] } });
    dialogue.target.live.push(thread(0x1063, 0x1063));
    dialogue.ask('vCont;c');
    dialogue.stop(stopped({ detail: { kind: 'fork', child: thread(0x1063, 0x1063) } }));
    expect(dialogue.one('qAttached:1063')).toBe('1');
    expect(dialogue.one('Hgp1063.1063')).toBe('OK');
    expect(dialogue.one('z0,401000,1')).toBe('OK');
    expect(dialogue.one('Hgp1061.1061')).toBe('OK');
    expect(dialogue.one('D;1063')).toBe('OK');
    expect(dialogue.target.calls).toEqual([`remove ${0x1063} software 401000 1`, `detach ${0x1063}`]);
    expect(dialogue.one('qC')).toBe('QCp1061.1061');
  });

  test('R starts the last program again, in extended mode only', () => {
    const dialogue = Dialogue.ready({ options: { program: { program: '/bin/p', args: [] } } });
    expect(dialogue.one('R00')).toBe('');
    dialogue.one('!');
    expect(dialogue.ask('R00')).toEqual([]);
    expect(dialogue.target.calls).toEqual([`kill ${PID}`]);
    expect(dialogue.one('?')).toBe(`T05${EXPEDITED}${ID}`);
  });

  test('why a session ended', () => {
    const end = (act: (dialogue: Dialogue) => void): unknown[] => {
      const dialogue = Dialogue.ready();
      act(dialogue);
      dialogue.session.disconnected();
      return dialogue.ends;
    };
    const exit = (dialogue: Dialogue): void => {
      dialogue.ask('vCont;c');
      dialogue.stop({ kind: 'exited', pid: PID, code: 0 });
    };
    expect(end(() => undefined)).toEqual(['disconnected']);
    expect(end((dialogue) => void dialogue.ask('vCont;c'))).toEqual(['disconnected']);
    expect(end(exit)).toEqual(['exited']);
    expect(end((dialogue) => void dialogue.one('vKill;1061'))).toEqual(['killed']);
    expect(
      end((dialogue) => {
        dialogue.one('!');
        exit(dialogue);
      }),
    ).toEqual(['disconnected']);
  });
});

test('a bug in a handler is logged, answered with E01, and the session goes on', () => {
  const dialogue = Dialogue.ready({ options: { saveTrace: () => '/state/trace-1.log' } });
  dialogue.target.readRegisters = () => {
    throw new TypeError('broken');
  };
  expect(dialogue.one('g')).toBe('E01');
  expect(dialogue.logged.join()).toContain('TypeError: broken');
  expect(dialogue.logged.join()).toContain('what led to it is in /state/trace-1.log');
  expect(dialogue.one('qC')).toBe('QCp1061.1061');
});

test('what gdb asks for and is not there is no news for the log', () => {
  const dialogue = Dialogue.ready({ target: new FakeTarget(false) });
  for (const packet of ['qXfer:auxv:read::0,1000', 'g', 'Hgp0.0', 'mzz']) dialogue.one(packet);
  expect(dialogue.logged).toEqual([]);
});

test('a write that fails ends the session and nothing is thrown', () => {
  const ends: string[] = [];
  const dialogue = Dialogue.ready({ options: { onEnd: (reason) => void ends.push(reason) } });
  Object.assign(dialogue.session, {
    parts: {
      write: () => {
        throw kernelError('write', 32, 'EPIPE');
      },
    },
  });
  dialogue.raw(frame('g'));
  dialogue.raw(frame('g'));
  expect(dialogue.session.phase).toBe('ended');
  expect(ends).toEqual(['disconnected']);
});
