/** Checks messages of the adapter against DAP's schema (build-dap-schema.mjs). */

import * as fs from 'node:fs';
import * as path from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import { root } from './cli-session';

type Json = Record<string, any>;

/** Our own, whose bodies are types of native/control/schema.ts; undefined: they have none. */
const CUSTOM: Readonly<Record<string, string | undefined>> = {
  'checkpoint/take': 'TakeResult',
  'checkpoint/list': 'CheckpointList',
  'checkpoint/restore': 'RestoreResult',
  'checkpoint/drop': undefined,
  'checkpoint/rename': undefined,
  'checkpoint/preflight': 'PreflightResult',
  'checkpoint/compare': 'CompareResult',
  'checkpoint/changed': 'CheckpointChanged',
  'program/input': undefined,
  'savepoint/fault': undefined,
};

let ajv: Ajv | undefined;
const checks = new Map<string, ValidateFunction | undefined>();

function checkOf(name: string): ValidateFunction | undefined {
  if (ajv === undefined) {
    ajv = new Ajv({ strict: false, allErrors: true });
    ajv.addSchema(JSON.parse(fs.readFileSync(path.join(root, 'dist/dap-schema.json'), 'utf8')) as object);
  }
  if (!checks.has(name)) checks.set(name, ajv.getSchema(`dap#/definitions/${name}`));
  return checks.get(name);
}

const typeOf = (name: string): string => `DebugProtocol.${name.charAt(0).toUpperCase()}${name.slice(1)}`;

function against(name: string, value: unknown, what: string): string[] {
  const check = checkOf(name);
  if (check === undefined) return [`${what}: DAP has no ${name}`];
  if (check(value) === true) return [];
  return (check.errors ?? []).map((error) => `${what}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
}

/** What is wrong with a message; empty: nothing. */
export function faultsOf(message: Json): string[] {
  switch (message['type']) {
    case 'event':
      return faultsOfNamed(message, String(message['event']), 'Event');
    case 'response':
      if (message['success'] === false)
        return against('DebugProtocol.ErrorResponse', message, `error reply to ${message['command']}`);
      return faultsOfNamed(message, String(message['command']), 'Response');
    case 'request':
      return against(`${typeOf(String(message['command']))}Request`, message, `request ${message['command']}`);
    default:
      return [`no type: ${JSON.stringify(message)}`];
  }
}

function faultsOfNamed(message: Json, name: string, kind: 'Event' | 'Response'): string[] {
  const what = `${kind} ${name}`;
  if (Object.hasOwn(CUSTOM, name)) {
    const body = CUSTOM[name];
    const envelope = against(`DebugProtocol.${kind}`, message, what);
    if (body === undefined) return message['body'] === undefined ? envelope : [...envelope, `${what}: has a body`];
    return [...envelope, ...against(body, message['body'], what)];
  }
  if (name !== 'initialize') return against(`${typeOf(name)}${kind}`, message, what);
  // The one capability of ours.
  const { supportsCheckpoints, ...capabilities } = (message['body'] ?? {}) as Json;
  const faults = supportsCheckpoints === true ? [] : ['initialize: no supportsCheckpoints'];
  return [...faults, ...against(`${typeOf(name)}${kind}`, { ...message, body: capabilities }, what)];
}
