/** The pure parts of the control surface: what a message may look like, and who is let in. */

import { denyHandshake, type AccessRules, type Handshake } from '../../native/control/access';
import { planControl } from '../../native/cli/control-args';
import { parseListen, splitListen } from '../../native/cli/listen-option';
import { table } from '../../native/cli/control-text';
import { checkRequest, MOST_LABEL, methodNames } from '../../native/control/validate';

const request = (more: object): unknown => ({ jsonrpc: '2.0', id: 1, ...more });

test('every method is accepted with all of its parameters, and refuses one more', () => {
  const params = { label: 'x', automatic: true, id: 3, saveCurrent: false, on: true, with: 4 };
  const own: Record<string, (keyof typeof params)[]> = {
    subscribe: ['on'],
    'checkpoint/take': ['label', 'automatic'],
    'checkpoint/restore': ['id', 'saveCurrent'],
    'checkpoint/drop': ['id'],
    'checkpoint/rename': ['id', 'label'],
    'checkpoint/compare': ['id', 'with'],
  };
  expect(methodNames).toHaveLength(9);
  for (const method of methodNames) {
    const given = Object.fromEntries((own[method] ?? []).map((key) => [key, params[key]]));
    expect(checkRequest(request({ method, params: given }))).toEqual({
      kind: 'request',
      request: { id: 1, method, params: given },
    });
    expect(checkRequest(request({ method, params: { ...given, other: 1 } }))).toMatchObject({ kind: 'bad', code: -32602 });
  }
});

test('limits of values', () => {
  const rename = (label: unknown, id: unknown = 1): unknown =>
    checkRequest(request({ method: 'checkpoint/rename', params: { id, label } }));
  expect(rename('x'.repeat(MOST_LABEL))).toMatchObject({ kind: 'request' });
  for (const bad of ['x'.repeat(MOST_LABEL + 1), 1, null]) expect(rename(bad)).toMatchObject({ code: -32602 });
  for (const id of [-1, 1.5, 1e9, NaN, '1', true]) expect(rename('x', id)).toMatchObject({ code: -32602 });
  expect(checkRequest(JSON.parse('{"jsonrpc":"2.0","id":1,"method":"status","params":{"__proto__":1}}'))).toMatchObject({
    code: -32602,
  });
});

describe('handshakes', () => {
  const token = 'abcdefghijklmnopqrstuvwxyz';
  const rules: AccessRules = { token, host: 'builder.lan', origins: ['https://editor.example'] };
  const good: Handshake = { host: '127.0.0.1:7070', origin: undefined, authorization: `Bearer ${token}`, protocols: [] };
  test.each<[string, Partial<Handshake>, number | undefined]>([
    ['the address and the token', {}, undefined],
    ['IPv6', { host: '[::1]:7070' }, undefined],
    ['localhost', { host: 'LOCALHOST' }, undefined],
    ['the name it listens at', { host: 'builder.lan:1' }, undefined],
    ['an allowed page', { origin: 'https://editor.example' }, undefined],
    ['a token in a subprotocol', { authorization: undefined, protocols: [`savepoint-token.${token}`] }, undefined],
    ['another name', { host: 'builder.lan.evil.example' }, 403],
    ['no Host', { host: undefined }, 403],
    ['digits that are no address', { host: '127.0.0.1.evil.example' }, 403],
    ['another page', { origin: 'https://editor.example.evil' }, 403],
    ['no token', { authorization: undefined }, 401],
    ['another scheme', { authorization: `Basic ${token}` }, 401],
    ['a longer token', { authorization: `Bearer ${token}x` }, 401],
  ])('%s', (_, more, status) => {
    expect(denyHandshake(rules, { ...good, ...more })?.status).toBe(status);
  });

  test('on the unix socket only pages are refused', () => {
    const unix: AccessRules = { token: undefined, host: undefined, origins: [] };
    expect(denyHandshake(unix, { ...good, host: undefined, authorization: undefined })).toBeUndefined();
    expect(denyHandshake(unix, { ...good, origin: 'https://editor.example' })?.status).toBe(403);
  });
});

test('command lines', () => {
  expect(planControl('checkpoint', ['--label=a b', '--session', '12', '--json'])).toEqual({
    label: 'a b',
    session: '12',
    json: true,
    discard: false,
    operands: [],
  });
  expect(planControl('rename', ['3', '--', '--x']).operands).toEqual(['3', '--x']);
  for (const bad of [
    ['--label', 'x'],
    ['--discard', '1', '2'],
    ['--session'],
    ['--session', '1', '--connect', 'h:1'],
    ['--connect', 'h:0'],
  ])
    expect(() => planControl('list', bad)).toThrow(/^(list: |--connect h:0)/);
  expect(parseListen('[::1]:7070')).toEqual({ host: '::1', port: 7070, origins: [] });
  for (const bad of ['7070', ':7070', 'h:70700', 'a b:1', '::1:7']) expect(() => parseListen(bad)).toThrow(/HOST:PORT/);
  expect(splitListen(['-q', '--listen', 'h:1', '--args', 'p', '--listen', 'x'])).toEqual({
    listen: ['--listen', 'h:1'],
    rest: ['-q', '--args', 'p', '--listen', 'x'],
  });
  expect(() => splitListen(['--allow-origin', 'https://a'])).toThrow(/without --listen/);
});

test('tables', () => {
  expect(
    table([
      ['A', 'LONG', 'C'],
      ['xyz', '1', ''],
    ]),
  ).toBe('A    LONG  C\nxyz  1');
});
