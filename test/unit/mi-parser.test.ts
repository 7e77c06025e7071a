/** The MI parser and the client over it, without gdb. */

import { GdbClient, type ClientEvents } from '../../adapter/gdb/client';
import { consoleCommand } from '../../adapter/gdb/commands-exec';
import { LineSplitter } from '../../adapter/gdb/line-splitter';
import { parseRecord } from '../../adapter/gdb/mi-parser';
import type { MiEvent, MiList } from '../../adapter/gdb/mi-values';
import { quoteMi, quoteProgramArgument } from '../../adapter/gdb/quote';
import { isFamily } from '../../native/base/errors';
import { Log } from '../../native/base/log';

const fieldsOf = (line: string): MiEvent['fields'] => (parseRecord(line) as MiEvent).fields;

describe('records', () => {
  test.each([
    ['(gdb)', { kind: 'prompt' }],
    ['(gdb) ', { kind: 'prompt' }],
    ['~"a\\tb\\n"', { kind: 'stream', stream: 'console', text: 'a\tb\n' }],
    ['@"x"', { kind: 'stream', stream: 'target', text: 'x' }],
    ['&"\\"quoted\\" \\\\"', { kind: 'stream', stream: 'log', text: '"quoted" \\' }],
    ['12^done', { kind: 'result', token: 12, name: 'done', fields: {} }],
    ['^running', { kind: 'result', token: undefined, name: 'running', fields: {} }],
    ['*running,thread-id="all"', { kind: 'exec', token: undefined, name: 'running', fields: { 'thread-id': 'all' } }],
    [
      '=thread-exited,id="1",group-id="i1"',
      { kind: 'notify', token: undefined, name: 'thread-exited', fields: { id: '1', 'group-id': 'i1' } },
    ],
    ['+download,x="1"\r', { kind: 'status', token: undefined, name: 'download', fields: { x: '1' } }],
  ])('%s is read', (line, record) => expect(parseRecord(line)).toEqual(record));

  test('tuples, lists of values and lists of results', () => {
    const fields = fieldsOf('1^done,a={b="1",c={}},d=["x",{y="z"},[]],stack=[frame={level="0"},frame={level="1"}],e=[]');
    expect(fields).toEqual({ a: { b: '1', c: {} }, d: ['x', { y: 'z' }, []], stack: [{ level: '0' }, { level: '1' }], e: [] });
    expect((fields['stack'] as MiList).names).toEqual(['frame', 'frame']);
  });

  test('braces with values only are a list, as gdb 13 writes the commands of a breakpoint', () => {
    expect(fieldsOf('^done,bkpt={number="1",script={"silent","print x"}}')).toEqual({
      bkpt: { number: '1', script: ['silent', 'print x'] },
    });
  });

  test('a name that comes twice, and values without one, become a list', () => {
    expect(fieldsOf('^done,bkpt={n="1"},{n="1.1"},{n="1.2"},x="1",x="2",x="3"')).toEqual({
      bkpt: [{ n: '1' }, { n: '1.1' }, { n: '1.2' }],
      x: ['1', '2', '3'],
    });
  });

  test('octal escapes are bytes of UTF-8', () => {
    expect(fieldsOf('^done,v="h\\303\\251llo \\360\\237\\230\\200\\033[0m\\000"')).toEqual({ v: 'héllo 😀\x1b[0m\0' });
    expect(fieldsOf('^done,v="\\377"')).toEqual({ v: '\ufffd' });
  });

  test('a name like an inherited one is only a name', () => {
    expect(Object.keys(fieldsOf('^done,__proto__={a="1"},toString="x"'))).toEqual(['__proto__', 'toString']);
  });
});

describe('what is not MI', () => {
  const good = '3^done,stack=[frame={level="0",addr="0x1",args=[{name="a",value="\\"x\\\\"}]}],x={"a","b"}';

  test('every beginning of a record is refused or a shorter record, and none takes for ever', () => {
    expect(parseRecord(good)).toBeDefined();
    for (let length = 0; length < good.length; length++) expectRefusedOrRead(good.slice(0, length));
  });

  test('records with a byte too many, too few, or another one are refused or read', () => {
    for (let at = 0; at < good.length; at++) {
      for (const byte of ['', '"', '{', ']', ',', '=', '\\', 'x'])
        expectRefusedOrRead(good.slice(0, at) + byte + good.slice(at + 1));
    }
  });

  test.each([
    '',
    'hello',
    '....',
    '^',
    '12',
    '~x',
    '~"x',
    '~"x\\',
    '^done,',
    '^done,a',
    '^done,a=',
    '^done,a="1"b',
    '*stopped,a=[b="1"',
    '^done,a={b="1"]',
  ])('%j is a PeerError', (line) => {
    const error = caught(() => parseRecord(line));
    expect(isFamily(error, 'peer')).toBe(true);
  });

  test('brackets without end are refused before the stack is full', () => {
    expect(
      isFamily(
        caught(() => parseRecord(`^done,a=${'['.repeat(1_000_000)}`)),
        'peer',
      ),
    ).toBe(true);
  });

  function expectRefusedOrRead(line: string): void {
    const error = caught(() => parseRecord(line));
    if (error !== undefined) expect(isFamily(error, 'peer')).toBe(true);
  }

  function caught(act: () => unknown): unknown {
    try {
      act();
      return undefined;
    } catch (error) {
      return error;
    }
  }
});

describe('speed', () => {
  /** The best of five: the machine may be busy. */
  function best(act: () => void): number {
    return Math.min(
      ...Array.from({ length: 5 }, () => {
        const start = performance.now();
        act();
        return performance.now() - start;
      }),
    );
  }

  test('a reply of 8 MB takes milliseconds', () => {
    const line = `1^done,memory=[{begin="0x0",contents="${'0123456789abcdef'.repeat(1 << 19)}"}]`;
    expect(best(() => void parseRecord(line))).toBeLessThan(200);
  });

  test('8 MB in small chunks, too', () => {
    const chunk = Buffer.from('x'.repeat(4096));
    let length = 0;
    const time = best(() => {
      const splitter = new LineSplitter((line) => (length = line.length));
      for (let i = 0; i < 2048; i++) splitter.feed(chunk);
      splitter.feed(Buffer.from('\n'));
    });
    expect(length).toBe(8 << 20);
    expect(time).toBeLessThan(1000);
  });
});

test('characters cut in two by chunk borders come out whole', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const byte of Buffer.from('~"é😀"\n(gdb)\n\nrest')) splitter.feed(Buffer.from([byte]));
  expect(lines).toEqual(['~"é😀"', '(gdb)', '']);
});

test('characters of which gdb escapes one half come out whole', () => {
  const values: unknown[] = [];
  const splitter = new LineSplitter((line) => values.push(fieldsOf(line)['value']));
  for (const text of ['grüße', '€', '😀 é', 'plain']) {
    // As gdb does: the bytes 0x80 to 0x9f.
    const half = [...Buffer.from(text)].map((byte) =>
      byte >= 0x80 && byte < 0xa0 ? `\\${byte.toString(8)}` : Buffer.from([byte]),
    );
    splitter.feed(Buffer.concat([Buffer.from('^done,value="'), ...half.map((one) => Buffer.from(one)), Buffer.from('"\n')]));
  }
  splitter.feed(Buffer.from([...Buffer.from('^done,value="'), 0xff, 0x22, 0x0a]));
  expect(values).toEqual(['grüße', '€', '😀 é', 'plain', '\ufffd']);
});

describe('the client', () => {
  function start() {
    const sent: string[] = [];
    const seen: string[] = [];
    const events: ClientEvents = {
      onEvent: (event) => seen.push(event.name),
      onStream: (stream, text) => seen.push(`${stream} ${text}`),
      onGarbage: (error) => seen.push(error.code),
      interrupt: () => seen.push('^C'),
      pursue: () => {},
    };
    const client = new GdbClient((text) => sent.push(text), new Log(''), events);
    return { client, sent, seen, say: (text: string) => client.feed(Buffer.from(text)) };
  }

  test('replies find their commands by token, in any order', async () => {
    const { client, sent, say } = start();
    const [a, b] = [client.send('-a'), client.send('-b')];
    expect(sent).toEqual(['1-a\n', '2-b\n']);
    say('2^done,v="b"\n1^running\n');
    expect((await a).name).toBe('running');
    expect((await b).fields).toEqual({ v: 'b' });
  });

  test('a resume that fails after all is a stop; an error that comes after the stop is none', async () => {
    const { client, seen, say } = start();
    const asked = client.send('-exec-next');
    say('1^running\n*running,thread-id="all"\n1^error,msg="Command aborted."\n1^error,msg="again"\n');
    expect((await asked).name).toBe('running');
    expect(seen).toEqual(['running', 'stopped']);
    void client.send('-exec-next');
    say('2^running\n*stopped,reason="end-stepping-range"\n2^error,msg="late"\n');
    expect(seen).toEqual(['running', 'stopped', 'stopped']);
  });

  test('an error of gdb has the asker in its stack', async () => {
    const { client, say } = start();
    const asked = askByName();
    say('1^error,msg="No symbol \\"x\\" in current context."\n');
    await expect(asked).rejects.toMatchObject({
      family: 'peer',
      code: 'gdb-error',
      message: 'No symbol "x" in current context.',
    });
    await expect(asked).rejects.toHaveProperty('stack', expect.stringContaining('askByName'));

    function askByName() {
      return client.send('-x');
    }
  });

  test('what is printed during a command with capture is in its reply', async () => {
    const { client, seen, say } = start();
    const [a, b] = [client.send('-a', { capture: true }), client.send('-b')];
    say('~"one"\n@"two"\n1^done\n~"three"\n2^done\n');
    expect((await a).text).toBe('onetwo');
    expect((await b).text).toBe('');
    expect(seen).toEqual(['console three']);
  });

  test('all that is pending is rejected when gdb ends, and so is what comes later', async () => {
    const { client } = start();
    const pending = [client.send('-a'), client.send('-b')];
    client.end('gdb has ended');
    for (const one of [...pending, client.send('-c')]) await expect(one).rejects.toMatchObject({ code: 'gdb-ended' });
  });

  test('a command without a reply is rejected at its limit', async () => {
    const { client, sent, say } = start();
    await expect(client.send('-slow', { limitMs: 5 })).rejects.toMatchObject({ code: 'gdb-slow' });
    const next = client.send('-next');
    // Not written before gdb is through with the ^C.
    expect(sent.at(-1)).toBe('2-gdb-show confirm\n');
    say('1^done\n2^done\n');
    expect(sent.at(-1)).toBe('3-next\n');
    say('3^done\n');
    expect((await next).name).toBe('done');
  });

  test('a late one keeps its place: it is interrupted once, and what it prints and answers is nobody else’s', async () => {
    const { client, seen, say } = start();
    const late = client.send('-savepoint-ask calls 7b7d', { limitMs: 5, capture: true });
    const next = client.send('-next', { capture: true });
    await expect(late).rejects.toThrow(
      /not answer within 0.005 s and was interrupted: -savepoint-ask calls\. Try again; SAVEPOINT_GDB_LIMIT/,
    );
    expect(seen).toEqual(['^C']);
    say('~"of the late one"\n1^error,msg="Quit"\n(gdb)\n~"of the next"\n2^done\n');
    expect((await next).text).toBe('of the next');
    expect(seen).toEqual(['^C']);
  });

  test('one that gdb might die of is not interrupted: it keeps its place', async () => {
    const { client, seen, say } = start();
    const late = client.send('-data-disassemble', { limitMs: 5, uninterruptible: true });
    await expect(late).rejects.toThrow(/not answer within 0.005 s: -data-disassemble/);
    const typed = consoleCommand(client, 'x/4i $pc');
    const controller = new AbortController();
    const cancelled = client.interruptible({ signal: controller.signal, isTyped: true }, () =>
      consoleCommand(client, 'disassemble'),
    );
    controller.abort();
    say('1^done\n2^done\n~"code"\n3^done\n');
    expect((await typed).text).toBe('');
    expect((await cancelled).text).toBe('code');
    expect(seen).toEqual([]);
  });

  test('one that gdb never answers takes nothing from those behind it', async () => {
    const { client, say } = start();
    await expect(client.send('-lost', { limitMs: 5 })).rejects.toMatchObject({ code: 'gdb-slow' });
    const next = client.send('-next');
    say('2^done\n3^done\n');
    await next;
    const captured = client.send('-captured', { capture: true });
    say('~"text"\n4^done\n');
    expect((await captured).text).toBe('text');
  });

  test('a cancelled one is interrupted when its turn comes, and again when gdb’s prompt took that', async () => {
    const { client, seen, say } = start();
    const other = client.send('-other');
    const { signal, abort } = cancellable();
    const work = client.interruptible({ signal, isTyped: true }, async () => {
      await client.send('-long').catch(() => {});
      return await client.send('-put-right');
    });
    abort();
    expect(seen).toEqual([]);
    say('1^done\n(gdb)\n');
    await other;
    expect(seen).toEqual(['^C']);
    say('&"Quit\\n"\n(gdb)\n');
    expect(seen).toEqual(['^C', 'log Quit\n', '^C']);
    // A word that does nothing behind each.
    say('&"Quit\\n"\n2^error,msg="Quit"\n(gdb)\n3^done\n(gdb)\n4^done\n(gdb)\n');
    await new Promise((resolve) => setImmediate(resolve));
    say('&"Quit\\n"\n(gdb)\n');
    // What comes after the end puts things right.
    say('5^done\n');
    await work;
    expect(seen.filter((one) => one === '^C')).toHaveLength(2);

    function cancellable() {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort() };
    }
  });

  test('what was typed goes alone, and one behind it that is cancelled is never sent', async () => {
    const { client, seen, sent, say } = start();
    const typed = client.interruptible({ signal: new AbortController().signal, isTyped: true }, () => client.send('-typed'));
    const controller = new AbortController();
    const cancelled = client.interruptible({ signal: controller.signal, isTyped: true }, () => client.send('-cancelled'));
    const next = client.send('-next');
    expect(sent).toEqual(['1-typed\n']);
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'gdb-cancelled' });
    say('1^done\n3^done\n');
    await Promise.all([typed, next]);
    expect(sent).toEqual(['1-typed\n', '3-next\n']);
    expect(seen).toEqual([]);
  });

  test('a garbled reply rejects its command, other garbage is told', async () => {
    const { client, seen, say } = start();
    const asked = client.send('-a');
    say('noise\n1^done,a={\n');
    await expect(asked).rejects.toMatchObject({ code: 'mi-garbage' });
    expect(seen).toEqual(['mi-garbage']);
  });

  test('a command of two lines is not sent', async () => {
    const { client, sent } = start();
    await expect(client.send('-a\n-gdb-exit')).rejects.toMatchObject({ code: 'mi-line' });
    expect(sent).toEqual([]);
  });
});

test('words are quoted for MI and for the program', () => {
  expect(quoteMi('a "b" \\ \n')).toBe('"a \\"b\\" \\\\ \\n"');
  expect(['a b', '', "it's", 'a\\b', '>out'].map(quoteProgramArgument)).toEqual(['a\\ b', "''", "it\\'s", 'a\\\\b', '\\>out']);
});
