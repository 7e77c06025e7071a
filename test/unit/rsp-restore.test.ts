/**
 * How gdb is told that the inferior is in another state: an armed restore answers the next resume-class packet.
 */

import { refused } from '../../native/base/errors';
import { Dialogue, hex } from './support/dialogue';
import { FakeTarget, PID, stopped, thread } from './support/fake-target';

const REST = '06:0000000000000000;07:0000000000000000;10:0000000000000000;thread:p1061.1061;';
const restored = stopped({ signal: 0 });

const RESUMES = [
  'vCont;c:p1061.-1',
  'vCont;s:p1061.1061',
  'vCont;r401000,401020:p1061.1061',
  'vCont;C06:p1061.1061;c',
  'c',
  's',
  'C06',
  'S06',
];

test.each(RESUMES)('%s: the restored stop is the answer, nothing runs', (packet) => {
  const dialogue = Dialogue.ready();
  dialogue.armed = { report: restored, librariesChanged: false };
  expect(dialogue.ask(packet)).toEqual([`T00${REST}`]);
  expect(dialogue.session.phase).toBe('idle');
  expect(dialogue.target.resumed).toEqual([]);
  expect(dialogue.ask(packet)).toEqual([]);
  expect(dialogue.target.resumed).toHaveLength(1);
});

test.each(RESUMES)('%s: other libraries are told first, the stop on the same packet again', (packet) => {
  const dialogue = Dialogue.ready();
  dialogue.armed = { report: restored, librariesChanged: true, note: 'restored 2' };
  expect(dialogue.ask(packet)).toEqual([`O${hex('restored 2\n')}`, 'T05library:;thread:p1061.1061;']);
  expect(dialogue.one('qXfer:libraries-svr4:read::0,1000')).toMatch(/^l</);
  expect(dialogue.ask(packet)).toEqual([`T00${REST}`]);
  expect(dialogue.target.resumed).toEqual([]);
  expect(dialogue.ask(packet)).toEqual([]);
});

test('a restore armed while the stop is withheld replaces it', () => {
  const dialogue = Dialogue.ready();
  dialogue.target.live.push(thread(0x1062));
  dialogue.armed = { report: restored, librariesChanged: true };
  dialogue.ask('vCont;c');
  dialogue.armed = { report: stopped({ signal: 0, thread: thread(0x1062) }), librariesChanged: false };
  expect(dialogue.one('vCont;c')).toContain('thread:p1061.1062;');
  expect(dialogue.ask('vCont;c')).toEqual([]);
});

test('a withheld stop is void when the process is let go', () => {
  const dialogue = Dialogue.ready();
  dialogue.one('!');
  dialogue.armed = { report: restored, librariesChanged: true };
  dialogue.ask('vCont;c');
  expect(dialogue.one('vKill;1061')).toBe('OK');
  dialogue.one(`vRun;${hex('/bin/x')}`);
  expect(dialogue.ask('vCont;c')).toEqual([]);
  expect(dialogue.target.resumed).toHaveLength(1);
});

test('the restored thread is the selected one', () => {
  const dialogue = Dialogue.ready();
  dialogue.target.live.push(thread(0x1062));
  dialogue.one('Hgp1061.1062');
  dialogue.armed = { report: restored, librariesChanged: false };
  dialogue.ask('vCont;c');
  expect(dialogue.one('qC')).toBe('QCp1061.1061');
});

test('a restore that is refused tells why; the stop stays where it was', () => {
  const dialogue = Dialogue.ready();
  Object.assign(dialogue.session, {
    hooks: {
      beforeResume: () => {
        throw refused('x', 'checkpoint 2', 'fd 7 is gone');
      },
    },
  });
  expect(dialogue.ask('vCont;c')).toEqual([`O${hex('checkpoint 2: fd 7 is gone\n')}`, `T00${REST}`]);
  expect(dialogue.target.resumed).toEqual([]);
});

test('vRun finds a restore armed: no program is started, the note goes to the log', () => {
  const dialogue = Dialogue.ready({ target: new FakeTarget(false) });
  dialogue.armedRun = { report: restored, librariesChanged: true, note: 'restored 1' };
  expect(dialogue.ask(`vRun;${hex('/bin/x')}`)).toEqual([`T00${REST}`]);
  expect(dialogue.target.launched).toBeUndefined();
  expect(dialogue.started).toEqual([]);
  expect(dialogue.logged).toEqual(['restored 1']);
});

test('a restore answers also a packet for a thread that has exited since', () => {
  const dialogue = Dialogue.ready();
  dialogue.armed = { report: restored, librariesChanged: false };
  expect(dialogue.ask('vCont;s:p1061.1099')).toEqual([`T00${REST}`]);
  expect(dialogue.ask('vCont;s:p1061.1099')).toEqual(['E01']);
});

test('a restore may also end in an exit', () => {
  const dialogue = Dialogue.ready();
  dialogue.armed = { report: { kind: 'exited', pid: PID, code: 3 }, librariesChanged: true };
  expect(dialogue.ask('vCont;c')).toEqual(['W3;process:1061']);
});
