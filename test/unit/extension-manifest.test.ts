/** The manifest and the code say the same: commands, context keys, settings, pictures, and what the adapter reads. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import Ajv from 'ajv';

const root = path.join(__dirname, '../..');
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'extension/package.json'), 'utf8'));
const source = fs
  .readdirSync(path.join(root, 'extension/src'))
  .map((name) => fs.readFileSync(path.join(root, 'extension/src', name), 'utf8'))
  .join('\n');
const { contributes } = manifest;
const commands: readonly string[] = contributes.commands.map(({ command }: { command: string }) => command);
const texts = JSON.stringify(contributes);

test('every command is registered, and every registered one is declared', () => {
  const made = [...source.matchAll(/\bon\('(\w+)'/g)].map((match) => `savepoint.${match[1]}`);
  const direct = [...source.matchAll(/registerCommand\('(savepoint\.\w+)'/g)].map((match) => match[1]!);
  expect([...made, ...direct].sort()).toEqual([...commands].sort());
});

test('menus, keys and the palette name commands that there are', () => {
  const menus = Object.values(contributes.menus).flat() as readonly { command: string }[];
  const named = [...menus, ...contributes.keybindings].map(({ command }: { command: string }) => command);
  expect(named.filter((command) => !commands.includes(command))).toEqual([]);
});

test('conditions name keys that are set', () => {
  const keys = new Set([...texts.matchAll(/savepoint\.can\w+/g)].map(([key]) => key));
  expect([...keys].filter((key) => !source.includes(`'${key}'`))).toEqual([]);
});

test('everything on checkpoints is there for our type only', () => {
  const menus = Object.entries(contributes.menus).filter(([place]) => /^(debug|editor)\//.test(place));
  const open = menus.flatMap(([, entries]) =>
    (entries as readonly { when: string }[]).filter(({ when }) => !/debugType == 'savepoint'/.test(when)),
  );
  expect(open).toEqual([]);
  for (const { when } of contributes.keybindings)
    expect(when).toMatch(/debugType == 'savepoint'|focusedView == 'savepoint\.checkpoints'/);
});

test('commands stand in the palette under our name, and buttons have icons', () => {
  expect(contributes.commands.filter(({ category }: { category?: string }) => category !== 'Savepoint')).toEqual([]);
  const buttons = (Object.entries(contributes.menus) as [string, { command: string; group?: string }[]][]).flatMap(
    ([place, entries]) => entries.filter(({ group }) => place === 'debug/toolBar' || /^(inline|navigation)/.test(group ?? '')),
  );
  const withIcon = new Set(
    contributes.commands.flatMap((one: { command: string; icon?: string }) => (one.icon ? [one.command] : [])),
  );
  expect(buttons.filter(({ command }) => !withIcon.has(command))).toEqual([]);
});

test('every command has its condition in the palette, but the one that needs no session', () => {
  const entries = contributes.menus.commandPalette.map(({ command }: { command: string }) => command);
  expect(commands.filter((name) => !entries.includes(name))).toEqual(['savepoint.debugExecutable']);
});

test('what works on a session is enabled by what the session can do', () => {
  const free = contributes.commands.filter(({ enablement }: { enablement?: string }) => !/savepoint\.can/.test(enablement ?? ''));
  expect(free.map(({ command }: { command: string }) => command)).toEqual([
    'savepoint.addCheckpointBreakpoint',
    'savepoint.debugExecutable',
    'savepoint.pickProcess',
    'savepoint.focusView',
  ]);
});

test('other debuggers do not start the extension', () => {
  expect(manifest.activationEvents).not.toContain('onDebug');
  expect(manifest.activationEvents).not.toContain('*');
});

test('settings that are read are declared, and the other way round', () => {
  const declared = Object.keys(contributes.configuration.properties).map((name) => name.replace('savepoint.', ''));
  const read = [...source.matchAll(/settings\.get<[^>]+>\('([\w.]+)'/g)].map((match) => match[1]!);
  expect([...new Set(read)].sort()).toEqual(declared.sort());
});

test("launch.json's attributes are those that the adapter reads", () => {
  const adapter = fs.readFileSync(path.join(root, 'adapter/session/settings.ts'), 'utf8');
  const { launch, attach } = contributes.debuggers[0].configurationAttributes;
  const names = [...Object.keys(launch.properties), ...Object.keys(attach.properties)];
  expect(names.filter((name) => !adapter.includes(`'${name}'`) && name !== 'stopAtEntry')).toEqual([]);
});

/** As the editor's JSON completion writes it: what begins with ^ stands as it is, the rest is JSON; then snippet syntax is replaced. */
function instantiate(value: unknown): string {
  const write = (one: unknown): string => {
    if (typeof one === 'string') return one.startsWith('^') ? one.slice(1) : JSON.stringify(one);
    if (Array.isArray(one)) return `[${one.map(write).join()}]`;
    if (typeof one !== 'object' || one === null) return JSON.stringify(one);
    const entries = Object.entries(one).map(([name, inner]) => `${JSON.stringify(name)}:${write(inner)}`);
    return `{${entries.join()}}`;
  };
  return write(value)
    .replace(/(?<!\\)\$\{\d+:([^}]*)\}/g, '$1')
    .replaceAll('\\$', '$');
}

test('each snippet becomes a configuration that the schema of its request takes, and knows', () => {
  const [{ configurationSnippets, configurationAttributes }] = contributes.debuggers;
  expect(configurationSnippets.map(({ label }: { label: string }) => label)).toEqual([
    'Savepoint: Launch',
    'Savepoint: Launch in a terminal',
    'Savepoint: Attach',
  ]);
  const ajv = new Ajv({ strict: false, allowUnionTypes: true });
  for (const { label, body } of configurationSnippets) {
    const { type, request, name, ...rest } = JSON.parse(instantiate(body));
    expect({ label, type, named: name !== '' }).toEqual({ label, type: 'savepoint', named: true });
    const schema = configurationAttributes[request];
    const validate = ajv.compile({ type: 'object', ...schema, additionalProperties: false });
    expect({ label, valid: validate(rest), errors: validate.errors }).toEqual({ label, valid: true, errors: null });
    expect(JSON.stringify(rest)).toMatch(/\$\{(workspaceFolder|command:savepoint\.pickProcess)\}/);
  }
});

test('pictures are there', () => {
  const pictures = [...texts.matchAll(/media\/(vscode-[\w-]+\.png)/g)].map((match) => match[1]!);
  expect(pictures.length).toBeGreaterThan(0);
  expect(pictures.filter((name) => !fs.existsSync(path.join(root, 'docs', name)))).toEqual([]);
});
