/** What comes in by the wire: wrong, malicious, too much, or cut short. The owner outlives all of it, and the program goes on. */

import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as path from 'node:path';
import { WebSocket } from 'ws';
import type { StatusResult } from '../../native/control/schema';
import { CliPlace, type CliRun, fixture } from '../support/cli-session';
import { BareClient, controlSocket } from '../support/control-session';
import { scaled, withSeed } from '../support/random';

jest.setTimeout(90_000);

let place: CliPlace;
let server: CliRun;
let socket: string;

/** One owner for all of them: each test ends with a look whether it still serves. */
beforeAll(async () => {
  place = new CliPlace();
  const rsp = path.join(place.directory, 'rsp');
  const access = ['--listen', '127.0.0.1:0', '--allow-origin', 'https://editor.example'];
  server = place.start(['gdbserver', ...access, '--multi', rsp, fixture('counting-threads')], {
    env: { SAVEPOINT_TRACE: 'control' },
  });
  await server.expect(/Listening on unix/);
  socket = controlSocket(place);
});

afterEach(async () => {
  const client = await BareClient.unix(socket);
  expect((await client.must<StatusResult>('status')).programs).toHaveLength(1);
  await client.close();
});

afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  place.close();
});

test('its standard streams stay blocking, and so do those of the program, which are the same', async () => {
  const client = await BareClient.unix(socket);
  const { pid, programs } = await client.must<StatusResult>('status');
  for (const process of [pid, programs[0]!.pid]) {
    for (const fd of [0, 1, 2]) {
      const flags = parseInt(/^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${process}/fdinfo/${fd}`, 'latin1'))![1]!, 8);
      expect(flags & fs.constants.O_NONBLOCK).toBe(0);
    }
  }
  await client.close();
});

describe('messages', () => {
  const status = '{"jsonrpc":"2.0","id":1,"method":"status"}';
  test.each([
    ['no JSON', '{"jsonrpc":', -32700],
    ['nothing', '', -32700],
    ['a number', '17', -32600],
    ['null', 'null', -32600],
    ['an empty batch', '[]', -32600],
    ['a batch too long', `[${Array.from({ length: 33 }, () => status).join(',')}]`, -32600],
    ['no version', '{"id":1,"method":"status"}', -32600],
    ['another member', '{"jsonrpc":"2.0","id":1,"method":"status","more":1}', -32600],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"status"}', -32600],
    ['a method that is a number', '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
    ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"checkpoint/explode"}', -32601],
    ["a method of every object's", '{"jsonrpc":"2.0","id":1,"method":"constructor"}', -32601],
    ['an unknown parameter', '{"jsonrpc":"2.0","id":1,"method":"checkpoint/take","params":{"name":"x"}}', -32602],
    ['a missing parameter', '{"jsonrpc":"2.0","id":1,"method":"checkpoint/drop"}', -32602],
    ['a number that is none', '{"jsonrpc":"2.0","id":1,"method":"checkpoint/drop","params":{"id":"1"}}', -32602],
    ['a fraction', '{"jsonrpc":"2.0","id":1,"method":"checkpoint/drop","params":{"id":1.5}}', -32602],
    ['parameters in a row', '{"jsonrpc":"2.0","id":1,"method":"checkpoint/drop","params":[1]}', -32602],
    ['an unknown checkpoint', '{"jsonrpc":"2.0","id":1,"method":"checkpoint/drop","params":{"id":77}}', -32000],
  ])('%s gets its error', async (_, text, code) => {
    const client = await BareClient.unix(socket);
    client.send(text);
    const { error } = await client.until(() => true);
    expect(error?.code).toBe(code);
    expect(error?.message).not.toBe('');
    await client.close();
  });

  test('a batch is answered as one; notifications are not answered', async () => {
    const client = await BareClient.unix(socket);
    client.send('{"jsonrpc":"2.0","method":"nonsense"}');
    client.send(
      '[{"jsonrpc":"2.0","method":"status"},{"jsonrpc":"2.0","id":1,"method":"status"},7,{"jsonrpc":"2.0","id":"b","method":"nonsense"}]',
    );
    await client.until(({ id }) => id === 'b');
    expect(client.received.map(({ id, error }) => [id, error?.code])).toEqual([
      [1, undefined],
      [null, -32600],
      ['b', -32601],
    ]);
    await client.close();
  });

  test('a binary message is refused; one that is too long ends the connection', async () => {
    const client = await BareClient.unix(socket);
    client.send(Buffer.from([1, 2, 3]));
    expect((await client.until(() => true)).error?.code).toBe(-32600);
    client.send('x'.repeat(65 * 1024));
    expect(await client.closed).toBe(1009);
  });

  test('more requests at once than allowed are refused, the others answered', async () => {
    const client = await BareClient.unix(socket);
    const answers = await Promise.all(Array.from({ length: 200 }, () => client.ask('checkpoint/list')));
    const refused = answers.filter(({ error }) => error?.data?.code === 'too-many');
    expect(answers.filter(({ result }) => result !== undefined).length + refused.length).toBe(200);
    expect(refused.length).toBeLessThan(200);
    await client.close();
  });

  test('random bytes, broken frames and broken requests', () =>
    withSeed(1, async (random) => {
      const text = '{"jsonrpc":"2.0","id":1,"method":"checkpoint/rename","params":{"id":0,"label":"entry"}}';
      for (let round = 0; round < scaled(60); round++) {
        const client = await BareClient.unix(socket);
        for (let n = 0; n < 10; n++) {
          const bytes = Buffer.from(text);
          for (let k = random.below(4); k >= 0; k--) bytes[random.below(bytes.length)] = random.below(256);
          client.send(random.below(3) === 0 ? bytes : bytes.toString('latin1'));
        }
        client.socket.terminate();
      }
      for (let round = 0; round < scaled(60); round++) {
        const raw = net.connect(socket);
        raw.on('error', () => {});
        const noise = Buffer.from(Array.from({ length: 1 + random.below(400) }, () => random.below(256)));
        const upgrade =
          'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n';
        await new Promise<void>((resolve) => {
          raw.once('close', () => resolve());
          raw.end(random.below(2) === 0 ? noise : Buffer.concat([Buffer.from(upgrade), noise]));
          raw.resume();
        });
      }
    }));
});

describe('clients', () => {
  test('one that is gone before its answer costs nobody anything', async () => {
    for (let n = 0; n < 20; n++) {
      const client = await BareClient.unix(socket);
      client.send(`{"jsonrpc":"2.0","id":1,"method":"${n % 2 === 0 ? 'checkpoint/take' : 'checkpoint/list'}"}`);
      client.socket.terminate();
    }
  });

  test('there are at most 16, and a place that one leaves is free', async () => {
    const clients: BareClient[] = [];
    while (clients.length < 16) clients.push(await BareClient.unix(socket));
    await expect(BareClient.unix(socket)).rejects.toThrow(/503/);
    await clients[0]!.must('status');
    await Promise.all(clients.map((client) => client.close()));
  });

  test('connections that never say anything do not keep others out', async () => {
    const silent = Array.from({ length: 40 }, () => net.connect(socket).on('error', () => {}));
    // Those beyond the limit are closed at once.
    await Promise.all(
      silent.slice(20).map((one) => new Promise<void>((resolve) => void one.once('close', () => resolve()).resume())),
    );
    for (const one of silent) one.destroy();
    // A place becomes free when the server has seen the end of one.
    for (let tries = 0; ; tries++) {
      const client = await BareClient.unix(socket).catch((error: unknown) => {
        if (tries > 200) throw error;
      });
      if (client === undefined) continue;
      await client.close();
      return;
    }
  });

  test('one that does not read is let go, and the owner keeps nothing for it', async () => {
    const client = await BareClient.unix(socket);
    for (let n = 0; n < 30; n++) await client.must('checkpoint/take', { label: 'x'.repeat(1000) });
    client.socket.pause();
    // Its answers are never read: 30 records of a kilobyte each.
    const flood = setInterval(() => {
      for (let n = 0; n < 100 && client.socket.readyState === WebSocket.OPEN; n++)
        client.send('{"jsonrpc":"2.0","id":1,"method":"checkpoint/list"}');
    }, 5);
    await server.expect(/does not read; let go/).finally(() => clearInterval(flood));
    client.socket.terminate();
  });
});

describe('TCP', () => {
  let at: { readonly host: string; readonly token: string };

  beforeAll(() => {
    const [, host, file] = /control: listening on (\S+), token in (\S+)/.exec(server.output)!;
    expect(fs.statSync(file!).mode & 0o777).toBe(0o600);
    at = { host: host!, token: fs.readFileSync(file!, 'utf8').trim() };
  });

  const open = async (headers: Record<string, string>, protocols: string[] = []): Promise<BareClient> =>
    await BareClient.open(`ws://${at.host}/`, { headers }, protocols);
  const bearer = (): Record<string, string> => ({ authorization: `Bearer ${at.token}` });

  test('the token opens it, in the header or, for browsers of an allowed origin, as a subprotocol', async () => {
    await (await open(bearer())).close();
    const client = await open({ origin: 'https://editor.example' }, ['savepoint', `savepoint-token.${at.token}`]);
    expect(client.socket.protocol).toBe('savepoint');
    await client.must('status');
    await client.close();
  });

  test.each<[string, () => Record<string, string>, number]>([
    ['no token', () => ({}), 401],
    ['a wrong token', () => ({ authorization: `Bearer ${'0'.repeat(64)}` }), 401],
    ['half a token', () => ({ authorization: `Bearer ${at.token.slice(0, 32)}` }), 401],
    ["another page's origin", () => ({ ...bearer(), origin: 'https://evil.example' }), 403],
    ['an opaque origin', () => ({ ...bearer(), origin: 'null' }), 403],
    ["a name that somebody's DNS points here", () => ({ ...bearer(), host: 'evil.example:80' }), 403],
  ])('%s is refused', async (_, headers, status) => {
    await expect(open(headers())).rejects.toThrow(new RegExp(`response: ${status}`));
  });

  test('something that is no WebSocket is told so', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      http.get(`http://${at.host}/`, (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    expect(status).toBe(426);
  });
});
