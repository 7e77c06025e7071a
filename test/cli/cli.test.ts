import { CliPlace } from '../support/cli-session';

let place: CliPlace;
beforeEach(() => {
  place = new CliPlace();
});
afterEach(() => place.close());

describe('the command itself', () => {
  test.each([['--help'], ['-h'], ['help']])('%s prints the commands', async (word) => {
    const { code, output } = await place.run([word]);
    expect(code).toBe(0);
    expect(output).toMatch(/^Usage: savepoint COMMAND/);
  });

  it('prints its help and fails when it is told nothing', async () => {
    const { code, output } = await place.run([]);
    expect(code).toBe(2);
    expect(output).toMatch(/^Usage: savepoint COMMAND/);
  });

  it('prints its version', async () => {
    expect((await place.run(['--version'])).output).toMatch(/^savepoint \d+\.\d+\.\d+\n$/);
  });

  it('suggests what was meant', async () => {
    const { code, output } = await place.run(['gbd']);
    expect(code).toBe(2);
    expect(output).toContain('did you mean "gdb"?');
  });

  test.each([['gdb'], ['gdbserver'], ['doctor']])('help %s is the same as its --help', async (name) => {
    const { output } = await place.run(['help', name]);
    expect(output).toMatch(new RegExp(`^Usage: savepoint ${name}`));
    expect((await place.run([name, '--help'])).output.startsWith(output.trimEnd())).toBe(true);
  });

  it('lets gdb tell its own version', async () => {
    const { code, output } = await place.run(['gdb', '--version']);
    expect(code).toBe(0);
    expect(output).toMatch(/^GNU gdb/);
    await place.expectNothingLeft();
  });
});

describe('doctor', () => {
  it('finds that debugging works here', async () => {
    const { code, output } = await place.run(['doctor', '--json']);
    const report = JSON.parse(output) as { ok: boolean; tier: string; rows: { name: string; state: string }[] };
    expect(report.ok).toBe(true);
    expect(report.rows.map(({ name }) => name)).toEqual(expect.arrayContaining(['ptrace of a child', 'gdb', 'ptrace_scope']));
    expect(code).toBe(0);
    await place.expectNothingLeft();
  });

  it('follows the forced way of finding written pages', async () => {
    const { output } = await place.run(['doctor'], { env: { SAVEPOINT_FORCE_TIER: 'compare' } });
    expect(output).toMatch(/written pages found by +compare \(SAVEPOINT_FORCE_TIER\)/);
  });

  it('fails where gdb is missing, and says how to get it', async () => {
    const { code, output } = await place.run(['doctor'], { env: { SAVEPOINT_GDB: '/nonexistent/gdb' } });
    expect(code).toBe(1);
    expect(output).toMatch(/^NO {2}gdb .*apt-get install gdb$/m);
  });

  it('knows no other option', async () => {
    expect((await place.run(['doctor', '--jsno'])).code).toBe(2);
  });
});
