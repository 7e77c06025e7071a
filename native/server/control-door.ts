/**
 * The tracer thread's end of the control surface: makes the sockets, starts the server's thread when the first client connects (until then all
 * this costs a descriptor in a poll), and carries out what is asked, a few requests at a time between two packets of the debugger's.
 */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { MessageChannel, receiveMessageOnPort, type MessagePort, Worker } from 'node:worker_threads';
import { randomBytes } from 'node:crypto';
import { describeError, userError } from '../base/errors';
import type { Log } from '../base/log';
import type { ListenAt } from '../cli/listen-option';
import { SHORTEST_TOKEN } from '../control/access';
import type { Listening, ServerData, ToServer, ToTracer } from '../control/link';
import { bellPath, makeControlDirectory, removeOwnersFiles, socketPath, sweep, tokenPath } from '../control/socket-directory';
import * as io from '../sys/io';
import { openPipe, WaitSet } from '../sys/wait-set';
import type { ControlService, Outcome } from './control-service';
import { Doorbell } from './doorbell';

/** Requests carried out before the debugger is looked at again. */
const AT_ONCE = 4;

/** The server's thread, once it was started. */
interface Server {
  readonly port: MessagePort;
  readonly reader: number;
  readonly writer: number;
}

const OPEN_ATTEMPTS = 5;

export class ControlDoor {
  /** Its descriptor is readable when `serve` has something to do. */
  readonly set = new WaitSet();
  private readonly room = Buffer.alloc(4096);
  private directory: string | undefined;
  private bell: Doorbell | undefined;
  private listening: Listening[] = [];
  private server: Server | undefined;

  constructor(private readonly log: Log) {}

  /**
   * Without a place for the socket there is no control, and debugging goes on. Returns the doorbell's path.
   *
   * 1. We find the directory, still empty; 2. another owner that ends removes it, as the last one in it; 3. our bind(2) fails: it is made again.
   */
  open(): string | undefined {
    for (let attempts = 0; attempts < OPEN_ATTEMPTS; attempts++) {
      const directory = makeControlDirectory();
      if (directory === undefined) {
        this.log.add('control', 'no control socket: no private directory can be made; set XDG_RUNTIME_DIR');
        return undefined;
      }
      try {
        sweep(directory);
        this.add({ fd: io.listenUnix(socketPath(directory, process.pid)), kind: 'unix' });
        this.bell = new Doorbell(bellPath(directory, process.pid), this.set);
        this.directory = directory;
        return bellPath(directory, process.pid);
      } catch (error) {
        this.log.add('control', `no control socket: ${describeError(error)}`);
        if (fs.existsSync(directory)) return undefined;
      }
    }
    return undefined;
  }

  /** Returns what to tell the user. */
  openTcp({ host, port, origins }: ListenAt, chosen: string | undefined): string {
    const fd = io.listenTcp(host, port);
    const token = chosen ?? randomBytes(32).toString('hex');
    if (token.length < SHORTEST_TOKEN)
      throw userError('token', `SAVEPOINT_TOKEN is too easy to guess: at least ${SHORTEST_TOKEN} characters are needed`);
    this.add({ fd, kind: 'tcp', token, host, origins });
    const at = `control: listening on ${host.includes(':') ? `[${host}]` : host}:${io.localPort(fd)}`;
    if (chosen !== undefined) return `${at}, token as in SAVEPOINT_TOKEN`;
    if (this.directory === undefined)
      throw userError('token', 'there is no private directory for the token: set SAVEPOINT_TOKEN');
    const file = tokenPath(this.directory, process.pid);
    fs.writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return `${at}, token in ${file}`;
  }

  private add(listening: Listening): void {
    this.listening.push(listening);
    this.set.add(listening.fd);
  }

  get isHeard(): boolean {
    return this.bell?.isHeard ?? false;
  }

  ring(): void {
    this.bell?.ring();
  }

  /** Something came. */
  serve(service: ControlService): void {
    for (const fd of this.set.ready()) {
      if (this.bell?.owns(fd) === true) this.bell.serve(fd);
      else if (fd === this.server?.reader) this.work(this.server, service);
      else if (this.server === undefined) this.startServer();
    }
  }

  /** The first client waits in a listening socket's queue; its server takes it from there. */
  private startServer(): void {
    for (const { fd } of this.listening) this.set.remove(fd);
    const { port1, port2 } = new MessageChannel();
    const { reader, writer } = openPipe();
    this.server = { port: port1, reader, writer };
    this.set.add(reader);
    const data: ServerData = { port: port2, wake: writer, listening: this.listening };
    // With streams of its own: else Node would open ours for it and set O_NONBLOCK, and they are the program's and gdb's as well.
    const worker = new Worker(findThread(), { workerData: data, transferList: [port2], stdout: true, stderr: true });
    worker.unref();
    port1.unref();
    this.log.add('control', 'first client: the server is started');
  }

  private work(server: Server, service: ControlService): void {
    io.readSome(server.reader, this.room);
    for (let done = 0; done < AT_ONCE; done++) {
      const received = receiveMessageOnPort(server.port) as { message: ToTracer } | undefined;
      if (received === undefined) return;
      this.carryOut(received.message, service);
    }
    // There may be more: the next look at the set finds it.
    io.writeAll(server.writer, Buffer.from('!'));
  }

  private carryOut(message: ToTracer, service: ControlService): void {
    switch (message.kind) {
      case 'trace':
        this.log.add('control', message.text);
        return;
      case 'give-up':
        service.giveUp(message.serial);
        return;
      case 'request': {
        const { serial, method, params } = message;
        this.log.add('control', `<- ${serial} ${method} ${JSON.stringify(params)}`);
        service.handle(serial, method, params, (outcome) => this.answer(serial, outcome));
      }
    }
  }

  private answer(serial: number, outcome: Outcome): void {
    if ('ok' in outcome) this.log.add('control', `-> ${serial} done`);
    else this.log.add('control', `-> ${serial} ${outcome.failure.family}/${outcome.failure.code}: ${outcome.failure.message}`);
    this.tell(
      'ok' in outcome ? { kind: 'answer', serial, result: outcome.ok } : { kind: 'failure', serial, failure: outcome.failure },
    );
  }

  /** Nobody is told when there is no server. */
  tell(message: ToServer): void {
    this.server?.port.postMessage(message);
  }

  close(): void {
    this.bell?.close();
    if (this.directory !== undefined) removeOwnersFiles(this.directory, process.pid);
    this.directory = undefined;
  }
}

/** dist/ beside the bundle. */
function findThread(): string {
  return path.join(__dirname, 'control-server.js');
}
