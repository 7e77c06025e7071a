/** The table of arguments is what DAP's types and native/control/schema.ts say, field by field, and covers every request that there is. */

import * as fs from 'node:fs';
import type { Fields, Kind } from '../../adapter/dap/argument-table';
import { argumentTable } from '../../adapter/dap/argument-table';
import { makeRoutes } from '../../adapter/session/routes';
import type { Session } from '../../adapter/session/session';
import { root } from '../support/cli-session';

type Node = Record<string, any>;

const { definitions } = JSON.parse(fs.readFileSync(`${root}/dist/dap-schema.json`, 'utf8')) as {
  definitions: Record<string, Node>;
};

/** Of our own requests; those without arguments have none. */
const OURS: Readonly<Record<string, string | undefined>> = {
  'checkpoint/take': 'TakeArguments',
  'checkpoint/list': undefined,
  'checkpoint/restore': 'RestoreArguments',
  'checkpoint/drop': 'DropArguments',
  'checkpoint/rename': 'RenameArguments',
  'checkpoint/preflight': undefined,
  'checkpoint/compare': 'CompareArguments',
};

/** `within`: the types that this one is a part of; a type that contains itself is not followed. */
function kindOf(node: Node, within: readonly string[] = []): Kind {
  if (typeof node['$ref'] === 'string') {
    const name = decodeURIComponent(node['$ref'].replace('#/definitions/', ''));
    return within.includes(name) ? 'any' : kindOf(definitions[name]!, [...within, name]);
  }
  if (Array.isArray(node['anyOf'])) {
    const kinds = node['anyOf'].map((one: Node) => kindOf(one, within));
    return kinds.every((kind) => kind === kinds[0]) ? kinds[0]! : 'any';
  }
  switch (node['type']) {
    case 'string':
      return 'text';
    case 'number':
      return 'number';
    case 'boolean':
      return 'flag';
    case 'array':
      return [kindOf(node['items'] as Node, within)];
    case 'object':
      return Object.fromEntries(
        Object.entries((node['properties'] ?? {}) as Record<string, Node>).map(([name, one]) => [
          ((node['required'] ?? []) as string[]).includes(name) ? name : `${name}?`,
          kindOf(one, within),
        ]),
      );
    default:
      return 'any';
  }
}

function fieldsOf(command: string): Fields {
  if (Object.hasOwn(OURS, command)) {
    const type = OURS[command];
    return type === undefined ? {} : (kindOf(definitions[type]!, [type]) as Fields);
  }
  const request = definitions[`DebugProtocol.${command.charAt(0).toUpperCase()}${command.slice(1)}Request`];
  if (request === undefined) throw new Error(`DAP has no request ${command}`);
  const kind = kindOf((request['properties'] as Node)['arguments'] as Node);
  return kind === 'any' ? {} : (kind as Fields);
}

const commands = Object.keys(argumentTable).filter((name) => name !== 'program/input');

test.each(commands)('%s', (command) => expect(argumentTable[command]).toEqual(fieldsOf(command)));

test('every request that there is has its line', () => {
  const routes = makeRoutes({ core: {}, breakpoints: {} } as unknown as Session, () => false);
  expect(Object.keys(argumentTable).sort()).toEqual(Object.keys(routes).sort());
});
