/** `savepoint dap --socket` and `--port`: who may come in, and many sessions at one server, which do not disturb each other. */

import * as fs from 'node:fs';
import * as net from 'node:net';
import type { CliRun } from '../support/cli-session';
import { line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

interface Server {
  readonly cli: CliRun;
  /** A connection that is as far as an editor's first request. */
  connect(): net.Socket;
  /** A bare one. */
  bare(): net.Socket;
}

async function onSocket(): Promise<Server> {
  const path = `${place.place.directory}/dap.sock`;
  const cli = place.place.start(['dap', '--socket', path]);
  await cli.expect(/\{"socket".*\n/);
  const connect = (): net.Socket => net.connect(path);
  return { cli, connect, bare: connect };
}

async function onPort(): Promise<Server> {
  const cli = place.place.start(['dap', '--port', '0']);
  const said = await cli.expect(/\{"host".*\n/);
  const { host, port, token } = JSON.parse(said) as { host: string; port: number; token: string };
  expect(host).toBe('127.0.0.1');
  const bare = (): net.Socket => net.connect(port, host);
  const connect = (): net.Socket => {
    const peer = bare();
    peer.write(`${token}\n`);
    return peer;
  };
  return { cli, connect, bare };
}

async function ends({ cli }: Server): Promise<void> {
  cli.child.kill('SIGTERM');
  expect((await cli.ended).code).toBe(0);
  await place.expectNothingLeft();
}

const initialize = JSON.stringify({ seq: 1, type: 'request', command: 'initialize', arguments: { adapterID: 'x' } });
const framed = `Content-Length: ${initialize.length}\r\n\r\n${initialize}`;

/** What comes until the connection is closed, or `initialize` is answered. */
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

it.each([[['--what']], [['--port', 'x']], [['--socket']]])('%j is refused', async (words) => {
  const { code, output } = await place.place.run(['dap', ...words]);
  expect(code).toBe(2);
  expect(output).toMatch(/savepoint dap/);
});

it('a socket may be opened by its user only', async () => {
  const server = await onSocket();
  expect(fs.statSync(`${place.place.directory}/dap.sock`).mode & 0o777).toBe(0o600);
  const peer = server.connect();
  expect(await answer(peer, framed)).toContain('"success":true');
  peer.destroy();
  await ends(server);
});

it('on a port, who has not the token is heard no further', async () => {
  const server = await onPort();
  for (const text of [`wrong\n${framed}`, framed, `\n${framed}`, 'x'.repeat(300)])
    expect(await answer(server.bare(), text)).toBe('');
  const peer = server.connect();
  expect(await answer(peer, framed)).toContain('"success":true');
  peer.destroy();
  await ends(server);
});

/** A session whose program counts what it is told, and whose every state is known. */
class Worker {
  private thread = 1;
  private round = 0;

  constructor(
    readonly run: DapRun,
    private readonly number: number,
  ) {}

  async start(): Promise<void> {
    const { run, number } = this;
    await run.initialize();
    await run.launch({ program, args: ['wait', String(number)], automaticCheckpoints: number % 2 === 0 ? false : {} }, () =>
      run.breakAt(source, [line('first stop')]),
    );
    this.thread = (await run.stopped('breakpoint')).threadId;
    expect(await run.value('argv[2]', this.thread)).toMatch(`"${number}"`);
  }

  /** Keep, change and step, go back: all is as it was kept. */
  async work(): Promise<void> {
    const { run, thread } = this;
    const kept = String(1000 * this.number + this.round++);
    await run.ask('evaluate', { expression: `global_counter = ${kept}`, context: 'repl' });
    const { checkpoint } = await run.ask('checkpoint/take', { label: kept });
    await run.ask('evaluate', { expression: 'global_counter = 0', context: 'repl' });
    await run.ask('next', { threadId: thread });
    await run.stopped('step');
    expect(await run.value('p.x', thread)).toBe('5');
    await run.ask('checkpoint/restore', { id: checkpoint.id, saveCurrent: false });
    await run.restored();
    expect([await run.value('global_counter', thread), await run.value('p.x', thread)]).toEqual([kept, '1']);
    expect((await run.top(thread)).line).toBe(line('first stop'));
  }

  async end(): Promise<void> {
    const { run, number, round } = this;
    const { checkpoints } = await run.ask('checkpoint/list');
    const labels = checkpoints.filter((one: { automatic: boolean }) => !one.automatic).map((one: { label: string }) => one.label);
    expect(labels.filter((label: string) => label !== 'entry')).toEqual(
      Array.from({ length: round }, (_, i) => String(1000 * number + i)),
    );
    await run.disconnect();
  }

  async gdb(): Promise<number> {
    const said = await this.run.ask('evaluate', { expression: '-exec python import os; print(os.getpid())', context: 'repl' });
    return Number(said.result);
  }

  async owner(): Promise<number> {
    const { systemProcessId } = await this.run.event('process');
    return Number(/TracerPid:\t(\d+)/.exec(fs.readFileSync(`/proc/${systemProcessId}/status`, 'latin1'))![1]);
  }
}

const victims: Readonly<Record<string, (worker: Worker) => Promise<void>>> = {
  gdb: async (worker) => {
    process.kill(await worker.gdb(), 'SIGKILL');
    await worker.run.event('terminated');
    expect(worker.run.console).toMatch(/The debugger has ended: gdb ended by SIGKILL/);
    await worker.run.disconnect();
  },
  owner: async (worker) => {
    process.kill(await worker.owner(), 'SIGKILL');
    await worker.run.event('terminated');
    expect(worker.run.console).toMatch(/The debugger has ended: the debug server ended unexpectedly/);
    await worker.run.disconnect();
  },
  'an editor': async (worker) => {
    void worker.run.reply('checkpoint/take');
    worker.run.closeWire();
    await worker.run.gone();
  },
};

describe.each([
  ['a socket', onSocket],
  ['a port', onPort],
])('at a server on %s', (_, begin) => {
  it('eight sessions step and go back, each with its own program, while others fail, leave, say nothing or talk nonsense', async () => {
    const server = await begin();
    const workers = await Promise.all(
      Array.from({ length: 8 }, async (__, i) => new Worker(await place.connect(server.connect()), i)),
    );
    const [silent, unadmitted, nonsense] = [server.connect(), server.bare(), server.connect()];
    for (const peer of [silent, unadmitted, nonsense]) peer.on('error', () => {});
    await Promise.all(workers.map((worker) => worker.start()));
    await Promise.all(workers.map((worker) => worker.work()));
    const leaving = Object.values(victims);
    nonsense.write('Content-Length: 7\r\n\r\n{"seq":GET / HTTP/1.1\r\n\r\n');
    await Promise.all([
      ...leaving.map((leave, i) => leave(workers[i]!)),
      ...workers.slice(leaving.length).map(async (worker) => {
        for (let round = 0; round < 4; round++) await worker.work();
      }),
    ]);
    unadmitted.destroy();
    nonsense.destroy();
    // And one that comes then.
    const late = new Worker(await place.connect(server.connect()), 8);
    await late.start();
    await late.work();
    for (const worker of [...workers.slice(leaving.length), late]) await worker.end();
    silent.destroy();
    await place.place.processes.allEndedBut('bin/savepoint dap');
    await ends(server);
  });
});

it('sessions end with their server when it is killed', async () => {
  const server = await onSocket();
  const runs = [await place.connect(server.connect()), await place.connect(server.connect())];
  for (const run of runs) {
    await run.initialize();
    await run.launch({ program, args: ['wait'] });
    await run.printed(/1 args/);
  }
  server.cli.child.kill('SIGKILL');
  await server.cli.ended;
  await place.expectNothingLeft();
});
