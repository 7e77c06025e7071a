/** What .vscode/ names is there: tasks, scripts, programs, the folders of the extension and of the sample project. */

import * as fs from 'node:fs';
import * as path from 'node:path';

const root = path.join(__dirname, '../..');
const read = (name: string): any => JSON.parse(fs.readFileSync(path.join(root, name), 'utf8'));
const { configurations, inputs } = read('.vscode/launch.json');
const { tasks } = read('.vscode/tasks.json');
const labels: readonly string[] = tasks.map(({ label }: { label: string }) => label);

test('tasks that are named are there, and run npm scripts that there are', () => {
  const before = configurations.flatMap((one: { preLaunchTask?: string }) => one.preLaunchTask ?? []);
  const parts = tasks.flatMap((one: { dependsOn?: readonly string[] }) => one.dependsOn ?? []);
  expect([...before, ...parts].filter((label: string) => !labels.includes(label))).toEqual([]);
  const scripts = tasks.flatMap((one: { script?: string }) => one.script ?? []);
  expect(scripts.filter((name: string) => !(name in read('package.json').scripts))).toEqual([]);
});

test('programs and inputs of launch.json are there', () => {
  const text = JSON.stringify(configurations);
  const programs = configurations.flatMap((one: { program?: string }) => one.program ?? []);
  expect(programs.filter((one: string) => !fs.existsSync(one.replace('${workspaceFolder}', root)))).toEqual([]);
  const asked = [...text.matchAll(/\$\{input:(\w+)\}/g)].map(([, id]) => id);
  expect(asked).toEqual(inputs.map(({ id }: { id: string }) => id));
});

test('the extension is debugged where the build lays it out, on the sample project that its task makes', () => {
  const host = configurations.find(({ type }: { type: string }) => type === 'extensionHost');
  const [development, opened] = host.args;
  expect(development).toBe('--extensionDevelopmentPath=${workspaceFolder}/dist/vscode');
  expect(fs.readFileSync(path.join(root, 'scripts/build-extension.mjs'), 'utf8')).toMatch(
    /staging = path\.join\(dist, 'vscode'\)/,
  );
  expect(opened).toBe('${workspaceFolder}/dist/try/orders');
  expect(labels).toContain('sample project');
});
