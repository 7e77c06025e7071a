/** What cannot be attached to: the reply says why, as a sentence and as data, by the real cause where this machine has it. */

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { once } from 'node:events';
import { fixture } from '../support/cli-session';
import { DapPlace, type DapRun } from '../support/dap-session';

const NOBODY = 65534;

let place: DapPlace;
const others: ChildProcess[] = [];
beforeEach(() => {
  place = new DapPlace();
});
afterEach(async () => {
  for (const other of others.splice(0)) {
    const gone = once(other, 'exit');
    other.kill('SIGKILL');
    await gone;
  }
  await place.close();
});

function sleeper(uid?: number): number {
  const child = spawn('sleep', ['300'], { stdio: 'ignore', cwd: '/', ...(uid === undefined ? {} : { uid, gid: uid }) });
  others.push(child);
  return child.pid!;
}

async function refusedTo(pid: number, options: Parameters<DapPlace['start']>[0] = {}): Promise<Record<string, unknown>> {
  const run = await place.start(options);
  await run.initialize();
  const error = await run.refused('attach', { pid });
  await run.disconnect();
  expect(error).toMatchObject({ showUser: false, variables: { code: 'cannot-attach', pid: String(pid) } });
  return error.variables as Record<string, unknown>;
}

/** kthreadd, when this machine shows it. */
function kernelThreads(): number[] {
  const isThere = fs.existsSync('/proc/2/comm') && fs.readFileSync('/proc/2/comm', 'latin1').trim() === 'kthreadd';
  return isThere ? [2] : [];
}

const isRoot = process.getuid!() === 0;

describe('attaching is refused with its reason', () => {
  it("of another user's process", async () => {
    // Root becomes somebody else; anybody else is one.
    expect(await (isRoot ? refusedTo(sleeper(), { uid: NOBODY }) : refusedTo(1))).toMatchObject({
      reason: 'other-user',
      owner: '0',
      text: expect.stringMatching(/it belongs to user 0; run as that user or as root/),
    });
  });

  // Only root can be root without it.
  for (const owner of isRoot ? [NOBODY] : []) {
    it('without the capability, as root in a container is', async () => {
      expect(await refusedTo(sleeper(owner), { without: 'sys_ptrace' })).toMatchObject({
        reason: 'capability',
        text: expect.stringMatching(/--cap-add=SYS_PTRACE/),
        command: expect.stringMatching(/SYS_PTRACE/),
      });
    });
  }

  it('of a process that is being debugged already', async () => {
    const first: DapRun = await place.start();
    await first.initialize();
    await first.launch({ program: fixture('dap-basic'), args: ['wait'] });
    const { systemProcessId } = await first.event('process');
    const told = await refusedTo(systemProcessId);
    expect(told).toMatchObject({ reason: 'traced', tracer: expect.stringMatching(/^\d+$/) });
    expect(told['text']).toMatch(/traced already by process \d+ \(\S.*\)/);
    await first.disconnect();
  });

  it('of a process that has ended, and that nobody has waited for', async () => {
    // A shell may wait for children that it does not know.
    const forks = '$| = 1; my $child = fork; exit 0 unless $child; print "$child\\n"; sleep 300';
    const parent = spawn('perl', ['-e', forks], { stdio: ['ignore', 'pipe', 'ignore'] });
    others.push(parent);
    let said = '';
    while (!said.includes('\n')) said += String(((await once(parent.stdout, 'data')) as [Buffer])[0]);
    const child = Number.parseInt(said, 10);
    await place.place.processes.endsUnwaited(child);
    expect(await refusedTo(child)).toMatchObject({ reason: 'zombie' });
  });

  // Where processes have a number space of their own (pid_namespaces(7)), no thread of the kernel is seen.
  for (const thread of kernelThreads()) {
    it('of a thread of the kernel', async () => {
      expect(await refusedTo(thread)).toMatchObject({ reason: 'kernel-thread' });
    });
  }
});
