/**
 * What a message on the control socket must look like: JSON-RPC 2.0, a method that there is, parameters that it has and no others. Pure.
 *
 * A message is checked as a whole before anything is done about it, so the rest of the program sees only what schema.ts says.
 */

import type { ControlMethod, ControlMethods } from './schema';

/** JSON-RPC's own error codes; -32000 is ours for everything that a method refuses or fails at. */
export const rpcCodes = {
  parse: -32700,
  invalidRequest: -32600,
  noMethod: -32601,
  invalidParams: -32602,
  internal: -32603,
  failed: -32000,
} as const;

export const MOST_LABEL = 1000;
const MOST_ID = 200;
const MOST_CHECKPOINT = 1_000_000_000;

type Check = (value: unknown) => string | undefined;

const isText: Check = (value) =>
  typeof value !== 'string'
    ? 'must be a string'
    : value.length > MOST_LABEL
      ? `must have at most ${MOST_LABEL} characters`
      : undefined;
const isFlag: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const isCheckpoint: Check = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < MOST_CHECKPOINT
    ? undefined
    : 'must be the number of a checkpoint';

type Fields<T> = {
  readonly [K in keyof T]-?: { readonly needed: object extends Pick<T, K> ? false : true; readonly check: Check };
};
type Table = { readonly [M in ControlMethod]: Fields<ControlMethods[M]['params']> };

const label = { needed: false, check: isText } as const;
const id = { needed: true, check: isCheckpoint } as const;
const flag = { needed: false, check: isFlag } as const;

export const methods: Table = {
  status: {},
  subscribe: { on: flag },
  'checkpoint/take': { label, automatic: flag },
  'checkpoint/list': {},
  'checkpoint/restore': { id, saveCurrent: flag },
  'checkpoint/drop': { id },
  'checkpoint/rename': { id, label: { needed: true, check: isText } },
  'checkpoint/preflight': {},
  'checkpoint/compare': { id, with: { needed: false, check: isCheckpoint } },
};

export const methodNames = Object.keys(methods) as ControlMethod[];

export type RpcId = string | number | null;

/** A request that may be carried out. Without an id it is a notification: nobody waits for an answer. */
export interface ControlRequest {
  readonly id?: RpcId;
  readonly method: ControlMethod;
  readonly params: Readonly<Record<string, unknown>>;
}

export type Checked =
  | { readonly kind: 'request'; readonly request: ControlRequest }
  /** `id` undefined: a notification, which gets no answer. */
  | { readonly kind: 'bad'; readonly id: RpcId | undefined; readonly code: number; readonly message: string };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): value is RpcId =>
  value === null ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  (typeof value === 'string' && value.length <= MOST_ID);

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params']);

export function checkRequest(value: unknown): Checked {
  const refuse = (id: RpcId | undefined, code: number, message: string): Checked => ({ kind: 'bad', id, code, message });
  if (!isObject(value)) return refuse(null, rpcCodes.invalidRequest, 'a request is a JSON object');
  const known = isId(value['id']) ? value['id'] : null;
  if ('id' in value && !isId(value['id'])) return refuse(null, rpcCodes.invalidRequest, 'id: must be a string or a number');
  if (value['jsonrpc'] !== '2.0') return refuse(known, rpcCodes.invalidRequest, 'jsonrpc: must be "2.0"');
  const strange = Object.keys(value).find((key) => !MEMBERS.has(key));
  if (strange !== undefined) return refuse(known, rpcCodes.invalidRequest, `${show(strange)}: a request has no such member`);
  const { method, params = {} } = value;
  if (typeof method !== 'string') return refuse(known, rpcCodes.invalidRequest, 'method: must be a string');
  const id = 'id' in value ? known : undefined;
  if (!isMethod(method))
    return refuse(id, rpcCodes.noMethod, `there is no method ${show(method)}; there are: ${methodNames.join(', ')}`);
  if (!isObject(params)) return refuse(id, rpcCodes.invalidParams, `${method}: params must be an object`);
  const wrong = checkParams(method, params);
  if (wrong !== undefined) return refuse(id, rpcCodes.invalidParams, `${method}: ${wrong}`);
  return { kind: 'request', request: { ...(id === undefined ? {} : { id }), method, params } };
}

export const isMethod = (name: string): name is ControlMethod => Object.hasOwn(methods, name);

function checkParams(method: ControlMethod, params: Readonly<Record<string, unknown>>): string | undefined {
  const fields: Readonly<Record<string, { readonly needed: boolean; readonly check: Check }>> = methods[method];
  for (const key of Object.keys(params)) if (!Object.hasOwn(fields, key)) return `there is no parameter ${show(key)}`;
  for (const [key, { needed, check }] of Object.entries(fields)) {
    if (!Object.hasOwn(params, key)) {
      if (needed) return `the parameter "${key}" is missing`;
      continue;
    }
    const wrong = check(params[key]);
    if (wrong !== undefined) return `"${key}" ${wrong}`;
  }
  return undefined;
}

/** What came from outside, short enough for a message. */
function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
