/** The requests that the adapter routes, the events that its sources send, and the tables of docs/debug-adapter.md that name them. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeRoutes } from '../../adapter/session/routes';
import type { Session } from '../../adapter/session/session';
import { root } from './cli-session';
import { type Offered, eventsSent } from './dap-coverage';

const sources = (fs.readdirSync(path.join(root, 'adapter'), { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .map((name) => fs.readFileSync(path.join(root, 'adapter', name), 'utf8'));

export const offered: Offered = {
  requests: Object.keys(makeRoutes({ core: {} } as unknown as Session, () => false)).sort(),
  events: eventsSent(sources),
};

const file = path.join(root, 'docs/debug-adapter.md');
const block = /(<!-- made by test\/traffic -->\n)([^]*?)(\n<!-- end -->)/;

export function documentedTables(): string {
  const found = block.exec(fs.readFileSync(file, 'utf8'))?.[2];
  if (found === undefined) throw new Error(`no tables in ${file}`);
  return found;
}

export function documentTables(tables: string): void {
  const text = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(
    file,
    text.replace(block, (_, before: string, __, after: string) => `${before}${tables}${after}`),
  );
}
