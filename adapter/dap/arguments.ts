/** What the client sent as a request's arguments, read by the table of kinds before a handler sees it. Pure. */

import { SavepointError } from '../../native/base/errors';
import { type Fields, type Kind, argumentTable } from './argument-table';

type Raw = Readonly<Record<string, unknown>>;

const MEANING = { text: 'must be a text', number: 'must be a whole number', flag: 'must be true or false' } as const;

export const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands for null where DAP wants a value: dape has no `adapterID` when its configuration has no type. */
const FOR_NULL: Readonly<Record<string, Raw>> = { initialize: { adapterID: '' } };

/**
 * The arguments of a request. Fields that the table does not name stay. Where a value may be missing, null counts as missing, as some clients
 * write it. A request without a line in the table gets what it was sent.
 */
export function readArguments(command: string, sent: unknown): Raw {
  const fail = (argument: string, clause: string): never => {
    const sentence = argument === '' ? `${command}: the arguments ${clause}` : `${command}: the argument "${argument}" ${clause}`;
    throw new SavepointError('peer', 'bad-arguments', sentence, { request: command, argument });
  };
  const readFields = (fields: Fields, value: Raw, where: string): Raw => {
    const found: Record<string, unknown> = { ...value };
    for (const [key, kind] of Object.entries(fields)) {
      const mayMiss = key.endsWith('?');
      const name = mayMiss ? key.slice(0, -1) : key;
      const given = Object.hasOwn(value, name) ? value[name] : undefined;
      if (given !== undefined && !(mayMiss && given === null)) found[name] = read(kind, given, `${where}${name}`);
      else if (mayMiss) delete found[name];
      else fail(`${where}${name}`, 'is missing');
    }
    return found;
  };
  const read = (kind: Kind, value: unknown, name: string): unknown => {
    if (kind === 'any') return value;
    if (kind === 'text') return typeof value === 'string' ? value : fail(name, MEANING.text);
    if (kind === 'flag') return typeof value === 'boolean' ? value : fail(name, MEANING.flag);
    if (kind === 'number') return Number.isInteger(value) ? value : fail(name, MEANING.number);
    if (!isList(kind)) return isObject(value) ? readFields(kind, value, `${name}.`) : fail(name, 'must be an object');
    if (!Array.isArray(value)) return fail(name, 'must be a list');
    return value.map((one: unknown, i) => read(kind[0], one, `${name}[${i}]`));
  };
  const written = sent ?? {};
  if (!isObject(written)) return fail('', 'must be an object');
  const instead = Object.entries(FOR_NULL[command] ?? {}).filter(([name]) => written[name] === null);
  const given = instead.length === 0 ? written : { ...written, ...Object.fromEntries(instead) };
  return Object.hasOwn(argumentTable, command) ? readFields(argumentTable[command] as Fields, given, '') : given;
}

const isList = (kind: Fields | readonly [Kind]): kind is readonly [Kind] => Array.isArray(kind);
