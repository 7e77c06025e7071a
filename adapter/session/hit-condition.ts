/** Hit conditions: `5` and `>= 5` from the fifth hit on, `== 5`, `> 5`, `< 5`, `<= 5`, `% 5`. Pure. */

import { userError } from '../../native/base/errors';

export interface HitCondition {
  readonly compare: '==' | '>=' | '>' | '<' | '<=' | '%';
  readonly count: number;
  /** gdb can count it: so many hits are passed over. */
  readonly ignore: number | undefined;
}

export function readHitCondition(text: string): HitCondition {
  const match = /^\s*(==?|>=?|<=?|%)?\s*(\d{1,9})\s*$/.exec(text);
  if (match === null)
    throw userError('hit-condition', `"${text}" is no hit condition: use a number, or one after ==, >=, >, <, <= or %`);
  const compare = (match[1] === '=' ? '==' : (match[1] ?? '>=')) as HitCondition['compare'];
  const count = Number(match[2]);
  if (compare === '%' && count === 0) throw userError('hit-condition', '"% 0" is no hit condition');
  const ignore = compare === '>=' ? Math.max(0, count - 1) : compare === '>' ? count : undefined;
  return { compare, count, ignore };
}
