import * as net from 'node:net';
import { CliPlace, type CliRun } from '../support/cli-session';
import { program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';
import { type Random, withSeed } from '../support/random';
import { lineOf } from '../support/source-lines';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

async function session(state: 'stopped' | 'running'): Promise<DapRun> {
  const run = await place.start();
  await run.initialize();
  await run.launch({ program, args: ['wait'] }, () => run.breakAt(source, [lineOf(source, 'first stop')]));
  const { threadId } = await run.stopped('breakpoint');
  if (state === 'running') {
    await run.ask('continue', { threadId });
    await run.printed(/1 args/);
  }
  return run;
}

const states = ['stopped', 'running'] as const;
/** The brief's 2 s, and what a busy machine takes besides. */
const LIMIT_MS = 6000;

async function within(what: Promise<unknown>): Promise<void> {
  const start = Date.now();
  await what;
  expect(Date.now() - start).toBeLessThan(LIMIT_MS);
}

describe.each(states)('a %s program', (state) => {
  it('ends by terminate, and its session with it', async () => {
    const run = await session(state);
    await run.ask('terminate');
    await within(run.event('terminated'));
    await run.disconnect();
    await place.expectNothingLeft();
  });

  it('ends by disconnect', async () => {
    const run = await session(state);
    await within(run.disconnect());
    await place.expectNothingLeft();
  });

  it('runs on after a disconnect that wants that', async () => {
    const run = await session(state);
    const { pid } = await place.place.processes.find(`${program} wait`);
    await run.disconnect({ terminateDebuggee: false });
    expect(place.place.processes.list().map((one) => one.pid)).toContain(pid);
    process.kill(pid, 'SIGKILL');
    await place.expectNothingLeft();
  });

  it('stays suspended after a disconnect that wants that, and can go on', async () => {
    const run = await session(state);
    const { pid } = await place.place.processes.find(`${program} wait`);
    await run.disconnect({ terminateDebuggee: false, suspendDebuggee: true });
    const { processes } = place.place;
    await processes.stands(pid);
    process.kill(pid, 'SIGCONT');
    await processes.runs(pid);
    process.kill(pid, 'SIGKILL');
    await place.expectNothingLeft();
  });

  it('ends when the editor closes the wire', async () => {
    const run = await session(state);
    run.adapter.stdin?.end();
    await within(run.gone());
    await place.expectNothingLeft();
  });

  it('ends when the adapter is killed', async () => {
    const run = await session(state);
    run.adapter.kill('SIGKILL');
    await within(run.gone());
    await place.expectNothingLeft();
  });

  it('ends when gdb is killed, and the client is told', async () => {
    const run = await session(state);
    process.kill((await place.place.processes.find('savepoint-connect')).pid, 'SIGKILL');
    await within(run.event('terminated'));
    expect(run.console).toMatch(/The debugger has ended/);
    expect(await run.refusal('stackTrace', { threadId: 1 })).toMatch(/running|notStopped|ended/);
    await run.disconnect();
    await place.expectNothingLeft();
  });

  it('ends when the owner is killed, and the client is told', async () => {
    const run = await session(state);
    process.kill((await place.place.processes.find('savepoint.js owner')).pid, 'SIGKILL');
    // gdb notices a lost connection when it uses it.
    if (state === 'stopped') await run.refusal('readMemory', { memoryReference: '0x1000', count: 4 });
    await within(run.event('terminated'));
    expect(run.console).toMatch(/debug server|connection/i);
    await run.disconnect();
    await place.expectNothingLeft();
  });
});

describe('with requests under way, at any of them', () => {
  /** What an editor could be asking for; sent, and not waited for. */
  function ask(run: DapRun, random: Random): void {
    const [command, args] = random.pick<[string, object]>([
      ['threads', {}],
      ['stackTrace', { threadId: 1 }],
      ['setBreakpoints', { source: { path: source }, breakpoints: [{ line: lineOf(source, 'in add') }] }],
      ['setFunctionBreakpoints', { breakpoints: [{ name: 'deep' }] }],
      ['checkpoint/take', { label: 'x' }],
      ['checkpoint/list', {}],
      ['checkpoint/restore', { id: 0 }],
      ['evaluate', { expression: 'info threads', context: 'repl' }],
      ['pause', { threadId: 1 }],
      ['continue', { threadId: 1 }],
      ['next', { threadId: 1 }],
      ['loadedSources', {}],
      ['restart', {}],
    ]);
    void run.refusal(command, args);
  }

  const victims: Readonly<Record<string, (run: DapRun) => Promise<void>>> = {
    gdb: async () => void process.kill((await place.place.processes.find('savepoint-connect')).pid, 'SIGKILL'),
    'the owner': async () => void process.kill((await place.place.processes.find('savepoint.js owner')).pid, 'SIGKILL'),
    'the adapter': async (run) => void run.adapter.kill('SIGKILL'),
    'the editor': async (run) => run.closeWire(),
  };

  it.each(Object.keys(victims))('%s goes, and nothing stays', async (who) => {
    await withSeed(who.length, async (random) => {
      const run = await session(random.pick(states));
      const requests = 1 + random.below(12);
      for (let i = 0; i < requests; i++) ask(run, random);
      // At a random one of their answers.
      const answers = 1 + random.below(requests);
      await run.answered(answers);
      // What the others are answered with, or cause, depends on who is quicker.
      run.mayGet('stopped', 'continued', 'breakpoint', 'checkpoint/changed');
      await victims[who]!(run);
      if (who === 'gdb' || who === 'the owner') {
        // Whoever notices a lost connection only when it is used: it is used.
        void run.refusal('readMemory', { memoryReference: '0x1000', count: 4 });
        await within(run.event('terminated'));
        expect(run.console).toMatch(/The debugger has ended/);
        await run.disconnect();
      } else await within(run.gone());
      await place.expectNothingLeft();
    });
  });
});

it('a running program that is killed is told as ended by the signal', async () => {
  const run = await session('running');
  process.kill((await place.place.processes.find(`${program} wait`)).pid, 'SIGKILL');
  expect(await run.event('exited')).toEqual({ exitCode: 137 });
  await within(run.event('terminated'));
  await run.disconnect();
  await place.expectNothingLeft();
});

describe('served to many', () => {
  let cli: CliPlace;
  let server: CliRun;
  beforeEach(() => {
    cli = new CliPlace();
  });
  afterEach(() => cli.close());

  const initialize = JSON.stringify({ seq: 1, type: 'request', command: 'initialize', arguments: { adapterID: 'x' } });
  const framed = `Content-Length: ${initialize.length}\r\n\r\n${initialize}`;

  async function answer(peer: net.Socket, text: string): Promise<string> {
    let heard = '';
    const answered = new Promise<string>((resolve) => {
      peer.setEncoding('utf8').on('data', (chunk: string) => {
        heard += chunk;
        if (heard.includes('supportsStepBack')) resolve(heard);
      });
      peer.on('close', () => resolve(heard));
      peer.on('error', () => {});
    });
    peer.write(text);
    return await answered;
  }

  it('on a unix socket that only its user may open', async () => {
    const socket = `${cli.directory}/dap.sock`;
    server = cli.start(['dap', '--socket', socket]);
    await server.expect(/\{"socket".*\n/);
    const peers = [net.connect(socket), net.connect(socket)];
    for (const peer of peers) expect(await answer(peer, framed)).toContain('"success":true');
    for (const peer of peers) peer.destroy();
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    await cli.expectNothingLeft();
  });

  it('on a port of this machine, with a token', async () => {
    server = cli.start(['dap', '--port', '0']);
    const { host, port, token } = JSON.parse(await server.expect(/\{"host".*\n/)) as {
      host: string;
      port: number;
      token: string;
    };
    expect(host).toBe('127.0.0.1');
    expect(await answer(net.connect(port, host), `wrong\n${framed}`)).toBe('');
    expect(await answer(net.connect(port, host), framed)).toBe('');
    const peer = net.connect(port, host);
    expect(await answer(peer, `${token}\n${framed}`)).toContain('"success":true');
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    await cli.expectNothingLeft();
  });

  it.each([[['--what']], [['--port', 'x']], [['--socket']]])('%j is refused', async (words) => {
    const { code, output } = await cli.run(['dap', ...words]);
    expect(code).toBe(2);
    expect(output).toMatch(/savepoint dap/);
  });
});
