/** One switch, one file, one clock: what goes over DAP, MI, RSP and the control socket, and what the kernel is asked and says. */

import * as fs from 'node:fs';
import { line, program, source } from '../support/dap-basic';
import { DapPlace } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

interface Line {
  readonly at: number;
  readonly topic: string;
  readonly text: string;
}

const FIVE = ['dap', 'mi', 'rsp', 'control', 'ptrace'];
/** Whose lines have to be in order as they are written; those of different processes may cross by what lies between a look at the clock and a write. */
const WRITERS = [
  ['dap', 'mi'],
  ['rsp', 'control', 'ptrace'],
];

async function traced(topics: string): Promise<readonly Line[]> {
  const file = `${place.place.directory}/trace-${topics}`;
  const run = await place.start({ env: { SAVEPOINT_TRACE: topics, SAVEPOINT_TRACE_FILE: file } });
  await run.initialize();
  await run.launch({ program, automaticCheckpoints: false }, () => run.breakAt(source, [line('first stop')]));
  await run.stopped('breakpoint');
  expect((await place.place.run(['checkpoint', '--label', 'from outside'])).code).toBe(0);
  await run.event('checkpoint/changed', (body) => body.reason === 'taken');
  await run.disconnect();
  await place.expectNothingLeft();
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((text) => {
      const [, at, topic, rest] = /^(\d+\.\d{6}) (\w+) (.*)$/.exec(text) ?? [];
      return { at: Number(at), topic: topic ?? `unreadable: ${text}`, text: rest ?? '' };
    });
}

it('a checkpoint of another client is followed through all five', async () => {
  const lines = await traced('all');
  expect(lines.map(({ topic }) => topic).filter((topic) => topic.startsWith('unreadable'))).toEqual([]);
  for (const writer of WRITERS) {
    const own = lines.filter(({ topic }) => writer.includes(topic)).map(({ at }) => at);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
  const timeLine = lines.toSorted((a, b) => a.at - b.at);
  expect(new Set(timeLine.map(({ topic }) => topic))).toEqual(new Set([...FIVE, 'state', 'checkpoint']));
  // Each is looked for behind the one before.
  let from = 0;
  const steps: readonly (readonly [string, RegExp])[] = [
    ['dap', /^> \d+ configurationDone/],
    ['mi', /^> \d+-exec-run/],
    ['rsp', /^<- vRun;/],
    ['ptrace', /^spawn .*dap-basic: \d+$/],
    ['ptrace', /^wait \d+: PTRACE_EVENT_EXEC$/],
    ['ptrace', /^continue \d+$/],
    ['ptrace', /^wait \d+: stopped SIGTRAP$/],
    ['rsp', /^-> T05swbreak/],
    ['mi', /^< \*stopped,reason="breakpoint-hit"/],
    ['dap', /^< stopped /],
    ['control', /take/],
    ['ptrace', /^calls? [\d ]+ in \d+/],
    ['checkpoint', /^memory [\d.]+ ms$/],
    ['dap', /^< checkpoint\/changed .*"taken"/],
    ['dap', /^> \d+ disconnect/],
    ['mi', /^> \d+-gdb-exit/],
    ['ptrace', /^wait \d+: killed SIGKILL$/],
  ];
  for (const [topic, pattern] of steps) {
    const index = timeLine.findIndex((one, i) => i >= from && one.topic === topic && pattern.test(one.text));
    expect([topic, pattern, index >= 0]).toEqual([topic, pattern, true]);
    from = index + 1;
  }
});

it('ptrace is a topic of its own', async () => {
  const lines = await traced('ptrace');
  expect(new Set(lines.map(({ topic }) => topic))).toEqual(new Set(['ptrace']));
  const words = new Set(lines.map(({ text }) => /^\w+/.exec(text)?.[0]));
  expect([...words]).toEqual(expect.arrayContaining(['spawn', 'wait', 'continue', 'interrupt']));
});

it('its lines are not written when nobody wants them', async () => {
  const lines = await traced('rsp,state');
  expect(new Set(lines.map(({ topic }) => topic))).toEqual(new Set(['rsp', 'state']));
});
