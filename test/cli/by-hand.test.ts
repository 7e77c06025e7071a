import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CliPlace, type CliRun, fixture, quietGdb, root } from '../support/cli-session';

const program = fixture('counting-threads');
const script = path.join(root, 'dist/savepoint.py');

let place: CliPlace;
beforeEach(() => {
  place = new CliPlace();
});
afterEach(() => place.close());

async function serve(...words: string[]): Promise<{ server: CliRun; socket: string }> {
  const socket = path.join(place.directory, 'debug.sock');
  const [first, ...rest] = words;
  const server = place.start([
    'gdbserver',
    '--once',
    ...(first === '--multi' ? ['--multi', socket] : [socket, first as string]),
    ...rest,
  ]);
  await server.expect(/Listening on unix socket .*\n/);
  return { server, socket };
}

/** A gdb that was not started by us. */
async function gdb(commands: string[], ...rest: string[]): Promise<string> {
  const child = spawn('gdb', [...quietGdb, '-batch', ...commands.flatMap((command) => ['-ex', command]), ...rest], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: place.environment(),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await new Promise((resolve) => child.once('close', resolve));
  return output;
}

describe('a gdb of the user with `savepoint gdbserver`', () => {
  it('gets the commands by `source`', async () => {
    const { server, socket } = await serve('--multi');
    const output = await gdb(
      [
        `target extended-remote ${socket}`,
        `source ${script}`,
        'break add_up',
        'run',
        'checkpoint',
        'continue',
        'restart 1',
        'print counter',
      ],
      program,
    );
    expect(output).toMatch(
      /Checkpoint 1: process \d+, 2 threads(.*\n)+Switching to checkpoint 1 \(process \d+\), [\d.]+ ms\.(.*\n)+\$1 = 0\n/,
    );
    expect((await server.ended).code).toBe(0);
    await place.expectNothingLeft();
  });

  it('gets them through a pipe, and the trace that --debug asks for goes beside it', async () => {
    const words = `${process.execPath} ${path.join(root, 'bin/savepoint')} gdbserver --debug - ${program}`;
    const trace = path.join(place.directory, 'trace');
    const output = await gdb(
      [
        `target remote | exec ${words} 2> ${trace}`,
        `source ${script}`,
        'break add_up',
        'continue',
        'checkpoint',
        'continue',
        'restart 1',
        'print counter',
        'kill',
      ],
      program,
    );
    expect(output).toMatch(/Checkpoint 1: (.*\n)+Switching to checkpoint 1 \(process \d+\), [\d.]+ ms\.(.*\n)+\$1 = 0\n/);
    expect(fs.readFileSync(trace, 'utf8')).toMatch(/^\d+\.\d{6} rsp .*vCont/m);
    await place.expectNothingLeft();
  });

  it('gets them with a plain remote connection, too', async () => {
    const { server, socket } = await serve(program);
    const output = await gdb(
      [
        `target remote ${socket}`,
        `source ${script}`,
        'break add_up',
        'continue',
        'checkpoint',
        'continue',
        'restart 1',
        'print counter',
        'kill',
      ],
      program,
    );
    expect(output).toMatch(/Switching to checkpoint 1 \(process \d+\), [\d.]+ ms\.(.*\n)+\$1 = 0\n/);
    await server.ended;
    await place.expectNothingLeft();
  });

  it('does without any script', async () => {
    const { server, socket } = await serve('--multi');
    const output = await gdb(
      [
        `target extended-remote ${socket}`,
        `set remote exec-file ${program}`,
        'break add_up',
        'run',
        'monitor checkpoint',
        'continue',
        'monitor restart 1',
        'continue',
        'print counter',
      ],
      program,
    );
    expect(output).toMatch(/Restart of checkpoint 1 is armed\.(.*\n)+\$1 = 0\n/);
    await server.ended;
    await place.expectNothingLeft();
  });

  it('keeps its own commands for programs of its own', async () => {
    const output = await gdb([`source ${script}`, 'break add_up', 'run', 'checkpoint', 'info checkpoints'], program);
    // One of them goes to the error stream: their order in the pipe is chance.
    expect(output).toContain("checkpoint: can't checkpoint multiple threads.\n");
    expect(output).toContain('No checkpoints.\n');
    await place.expectNothingLeft();
  });
});
