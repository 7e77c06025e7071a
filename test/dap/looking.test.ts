import * as fs from 'node:fs';
import { line, program, source } from '../support/dap-basic';
import { DapPlace, type DapRun } from '../support/dap-session';

let place: DapPlace;
let run: DapRun;
let thread: number;

/** One program for all of them: they only look, or put back what they changed. */
beforeAll(async () => {
  place = new DapPlace();
  run = await place.start();
  await run.initialize({ supportsMemoryEvent: true, supportsInvalidatedEvent: true });
  await run.launch({ program, automaticCheckpoints: false }, () => run.breakAt(source, [line('print')]));
  thread = (await run.stopped('breakpoint')).threadId;
});
afterAll(async () => {
  await run.disconnect();
  await place.expectNothingLeft();
  await place.close();
});

const frame = async (): Promise<number> => (await run.top(thread)).id;
const evaluate = async (expression: string, context: string): Promise<any> =>
  await run.ask('evaluate', { expression, context, frameId: await frame() });

describe('variables', () => {
  it('are paged, also a big array', async () => {
    const { numbers } = await run.locals(await frame());
    expect(numbers).toMatchObject({ type: 'int [300]', indexedVariables: 300 });
    const page = await run.children(numbers!.variablesReference, { filter: 'indexed', start: 250, count: 3 });
    expect(Object.entries(page).map(([name, { value }]) => `${name}=${value}`)).toEqual([
      '[250]=62500',
      '[251]=63001',
      '[252]=63504',
    ]);
  });

  it('are opened through pointers, one at a time', async () => {
    const { first, second } = await run.locals(await frame());
    const next = await run.children(first!.variablesReference);
    expect(next['next']).toMatchObject({ type: 'struct list *', memoryReference: expect.stringMatching(/^0x/) });
    const behind = await run.children(next['next']!.variablesReference);
    expect(behind['value']!.value).toBe('2');
    expect(behind['next']!.variablesReference).toBe(0);
    expect(second!.value).toMatch(/value = 2/);
  });

  it('are shown in hexadecimal when that is asked for', async () => {
    const { scopes } = await run.ask('scopes', { frameId: await frame() });
    const locals = await run.children(scopes[0].variablesReference, { format: { hex: true } });
    expect(locals['argc']!.value).toBe('0x1');
    expect((await run.ask('evaluate', { expression: '255', context: 'watch', format: { hex: true } })).result).toBe('0xff');
  });

  it('of the file and registers are scopes of their own', async () => {
    const { scopes } = await run.ask('scopes', { frameId: await frame() });
    expect(scopes.map((scope: { name: string }) => scope.name)).toEqual(['Locals', 'Globals of the file', 'Registers']);
    const globals = await run.children(scopes[1].variablesReference);
    expect(globals['file_static']!.value).toBe('3');
    expect(globals['bytes']!.value).toMatch(/bytes in memory/);
    const groups = await run.children(scopes[2].variablesReference);
    expect(Object.keys(groups)).toEqual(expect.arrayContaining(['general', 'vector', 'floating point']));
    const general = await run.children(groups['general']!.variablesReference);
    expect(general['rip']!.value).toMatch(/main/);
    expect(Object.keys(general)).toHaveLength(18);
  });

  it('are changed: locals, fields, elements, globals, registers', async () => {
    const frameId = await frame();
    const { scopes } = await run.ask('scopes', { frameId });
    const locals = await run.children(scopes[0].variablesReference);
    const set = async (variablesReference: number, name: string, value: string): Promise<string> =>
      (await run.ask('setVariable', { variablesReference, name, value })).value;
    expect(await set(scopes[0].variablesReference, 'ratio', '0.5')).toBe('0.5');
    expect(await set(locals['p']!.variablesReference, 'y', '40 + 2')).toBe('42');
    expect(await set(locals['numbers']!.variablesReference, '[7]', '-1')).toBe('-1');
    expect(await set(scopes[1].variablesReference, 'file_static', '9')).toBe('9');
    const groups = await run.children(scopes[2].variablesReference);
    expect(await set(groups['general']!.variablesReference, 'r15', '0x1234')).toMatch(/4660|0x1234/);
    expect((await evaluate('p.y + numbers[7] + file_static + (int)$r15', 'watch')).result).toBe('4710');
    expect(await run.ask('setExpression', { expression: 'p.y', value: '12', frameId })).toMatchObject({
      value: '12',
      type: 'int',
    });
    expect(
      await run.refusal('setVariable', { variablesReference: scopes[0].variablesReference, name: 'none', value: '1' }),
    ).toMatch(/"none"/);
  });

  it('of another thread or a frame that is not there are refused', async () => {
    expect(await run.refusal('scopes', { frameId: 999_999 })).toMatch(/no frame 999999/);
    expect(await run.refusal('stackTrace', { threadId: 77 })).toMatch(/thread/i);
    expect(await run.refusal('next', { threadId: 77 })).toMatch(/thread/i);
  });
});

describe('expressions', () => {
  it("in a watch have children, and errors are gdb's words", async () => {
    const { result, type, variablesReference } = await evaluate('p', 'watch');
    expect([result, type]).toEqual([expect.stringContaining('x = '), 'struct point']);
    expect((await run.children(variablesReference))['x']!.value).toBe('5');
    expect(await run.refusal('evaluate', { expression: 'nothing', context: 'watch' })).toBe(
      'No symbol "nothing" in current context.',
    );
  });

  it('under the mouse do not change the program', async () => {
    expect((await evaluate('p.x == 5', 'hover')).result).toBe('1');
    expect(await run.refusal('evaluate', { expression: 'p.x = 6', context: 'hover' })).toMatch(/would change/);
    expect(await run.refusal('evaluate', { expression: 'add(1, 2)', context: 'hover' })).toMatch(/may-call-functions/);
    expect((await evaluate('add(1, 2)', 'watch')).result).toBe('3');
  });

  it('in the console are expressions or commands of gdb', async () => {
    expect((await evaluate('p.x', 'repl')).result).toBe('5');
    expect((await evaluate('info line', 'repl')).result).toMatch(/Line \d+ of/);
    expect((await evaluate('-exec print p.x', 'repl')).result).toMatch(/^\$\d+ = 5$/);
    expect((await evaluate('>print p.x', 'repl')).result).toMatch(/= 5$/);
    expect((await evaluate('`echo hi\\n', 'repl')).result).toBe('hi');
    expect((await evaluate('info symbol main', 'repl')).result).toMatch(/^main in section/);
    const before = (await evaluate('global_counter', 'repl')).result;
    expect((await evaluate('global_counter = global_counter + 1', 'repl')).result).toBe(String(Number(before) + 1));
    expect(await run.event('invalidated')).toEqual({ areas: ['variables'] });
    expect((await evaluate('add', 'repl')).result).toMatch(/<add>$/);
    expect(await run.refusal('evaluate', { expression: 'nonsense here', context: 'repl' })).toMatch(/nonsense|syntax/);
    expect((await evaluate('p.name', 'clipboard')).result).toMatch(/"héllo"/);
  });

  it('are completed', async () => {
    const { targets } = await run.ask('completions', { text: '-exec info thr', column: 15 });
    expect(targets).toEqual([{ label: 'threads', start: 11, length: 3 }]);
    const names = (await run.ask('completions', { text: 'global_c', column: 9 })).targets.map(
      (one: { label: string }) => one.label,
    );
    expect(names).toContain('global_counter');
  });
});

describe('memory', () => {
  it('is read and written, and the client is told', async () => {
    const memoryReference = /0x[0-9a-f]+/.exec((await evaluate('&bytes', 'watch')).result)![0];
    const { data, address } = await run.ask('readMemory', { memoryReference, offset: 6, count: 9 });
    expect(Buffer.from(data, 'base64').toString()).toBe('in memory');
    expect(BigInt(address)).toBe(BigInt(memoryReference) + 6n);
    const written = Buffer.from('on').toString('base64');
    expect(await run.ask('writeMemory', { memoryReference, offset: 6, data: written })).toMatchObject({ bytesWritten: 2 });
    expect(await run.event('memory')).toEqual({ memoryReference, offset: 6, count: 2 });
    await run.event('invalidated');
    expect((await evaluate('(char *)bytes', 'watch')).result).toMatch(/bytes on memory/);
  });

  it('that is not there is told to be unreadable', async () => {
    expect(await run.ask('readMemory', { memoryReference: '0x10', count: 100 })).toEqual({
      address: '0x10',
      unreadableBytes: 100,
    });
    expect(await run.ask('readMemory', { memoryReference: '0x10', count: 0 })).toMatchObject({ data: '' });
    expect(await run.refusal('readMemory', { memoryReference: '0x10', count: -5 })).toMatch(/bytes/);
  });

  it('of the stack up to its end is read as far as it goes', async () => {
    const mapping = fs.readFileSync(`/proc/${(await evaluate('$_inferior', 'watch')).result}/comm`, 'utf8').trim();
    expect(mapping).not.toBe('');
  });
});

describe('code', () => {
  it('is disassembled forwards and backwards, and the two agree', async () => {
    const { instructionPointerReference } = await run.top(thread);
    const ask = async (instructionOffset: number, instructionCount: number): Promise<any[]> =>
      (await run.ask('disassemble', { memoryReference: instructionPointerReference, instructionOffset, instructionCount }))
        .instructions;
    const around = await ask(-10, 20);
    expect(around).toHaveLength(20);
    expect(around[10].address).toBe(instructionPointerReference);
    expect(around[10].line).toBe(line('print'));
    expect((await ask(0, 10)).map((one) => one.address)).toEqual(around.slice(10).map((one) => one.address));
    const addresses = around.map((one) => BigInt(one.address));
    expect([...addresses].sort((a, b) => (a < b ? -1 : 1))).toEqual(addresses);
  });

  it('far before the function still meets it', async () => {
    const { instructionPointerReference } = await run.top(thread);
    const { instructions } = await run.ask('disassemble', {
      memoryReference: instructionPointerReference,
      instructionOffset: -400,
      instructionCount: 401,
    });
    expect(instructions).toHaveLength(401);
    expect(instructions[400].address).toBe(instructionPointerReference);
  });

  it('in files is listed', async () => {
    const { modules, totalModules } = await run.ask('modules', { startModule: 0, moduleCount: 100 });
    expect(totalModules).toBe(modules.length);
    expect(modules.map((one: { name: string }) => one.name)).toEqual(expect.arrayContaining(['dap-basic', 'libc.so.6']));
    const { sources } = await run.ask('loadedSources');
    expect(sources.map((one: { path: string }) => one.path)).toContain(source);
    expect((await run.ask('source', { source: { path: source }, sourceReference: 0 })).content).toBe(
      fs.readFileSync(source, 'utf8'),
    );
    expect(await run.refusal('source', { source: { path: '/nowhere/x.c' }, sourceReference: 0 })).toMatch(/cannot be read/);
  });
});

describe('requests that go wrong', () => {
  it('a request that there is not gets an error', async () => {
    expect(await run.refusal('noSuchRequest')).toMatch(/no request "noSuchRequest"/);
    expect(await run.refusal('toString')).toMatch(/no request "toString"/);
  });

  it('a cancelled one is answered as cancelled, and the session goes on', async () => {
    const client = run.client as unknown as { sequence: number };
    const slow = run.refusal('evaluate', { expression: '-exec python import time; time.sleep(0.5)', context: 'repl' });
    await run.ask('cancel', { requestId: client.sequence - 1 });
    expect(await slow).toBe('cancelled');
    // Whatever it has done before it was ended.
    await run.event('invalidated', ({ areas }) => areas.includes('all'));
    expect((await evaluate('1 + 1', 'watch')).result).toBe('2');
  });

  it('a second launch is refused', async () => {
    expect(await run.refusal('launch', { program })).toMatch(/already/);
  });

  it('an unreadable message does not end the session', async () => {
    const broken = '{"seq": 1, "type": "request", ';
    run.adapter.stdin?.write(`Content-Length: ${broken.length}\r\n\r\n${broken}`);
    run.adapter.stdin?.write('Content-Length: 4\r\n\r\nnull');
    await run.said(/not readable[^]*not readable/);
    expect((await evaluate('2 + 2', 'watch')).result).toBe('4');
  });
});
