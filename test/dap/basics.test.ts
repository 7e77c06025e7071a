import * as fs from 'node:fs';
import { line, program, source } from '../support/dap-basic';
import { DapPlace } from '../support/dap-session';

let place: DapPlace;
beforeEach(() => {
  place = new DapPlace();
});
afterEach(() => place.close());

describe('a session from beginning to end', () => {
  it('stops at a breakpoint, steps, shows variables, and ends with the program', async () => {
    const run = await place.start();
    const can = await run.initialize();
    expect(can).toMatchObject({ supportsStepBack: true, supportsConfigurationDoneRequest: true });
    await run.launch({ program, args: ['exit3'] }, async () => {
      const [breakpoint] = await run.breakAt(source, [line('first stop')]);
      expect(breakpoint).toMatchObject({ verified: true, line: line('first stop') });
    });
    const stop = await run.stopped('breakpoint');
    const { threads } = await run.ask('threads');
    expect(threads).toHaveLength(1);
    const frame = await run.top(stop.threadId);
    expect(frame).toMatchObject({ name: 'main', line: line('first stop'), source: { path: source } });
    const locals = await run.locals(frame.id);
    expect(locals['ratio']).toMatchObject({ value: '0.25', type: 'double' });
    expect(locals['letters']!.value).toContain('abc');
    const point = await run.children(locals['p']!.variablesReference);
    expect(point['x']).toMatchObject({ value: '1', type: 'int' });
    expect(point['name']!.value).toContain('"héllo"');
    await run.ask('stepIn', { threadId: stop.threadId });
    await run.stopped('step');
    expect((await run.top(stop.threadId)).name).toBe('add');
    await run.ask('stepOut', { threadId: stop.threadId });
    await run.stopped('step');
    await run.ask('next', { threadId: stop.threadId });
    await run.stopped('step');
    await run.ask('continue', { threadId: stop.threadId });
    expect(await run.event('exited')).toEqual({ exitCode: 3 });
    await run.event('terminated');
    expect(run.output).toMatch(/^5 12 5 0.25 abc 1 args \[exit3\]\n$/);
    await run.disconnect();
    await place.expectNothingLeft();
    expect(fs.existsSync(`/proc/${run.adapter.pid}`)).toBe(false);
  });
});
