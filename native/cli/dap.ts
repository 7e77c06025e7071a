/** `savepoint dap`: hands its words, understood, to the debug adapter, which is a bundle of its own (dist/adapter.js). */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { requireCached } from '../base/code-cache';
import { userError } from '../base/errors';
import type { ServePlan } from './dap-args';

export async function runDap(plan: ServePlan): Promise<number> {
  const file = path.join(__dirname, 'adapter.js');
  if (!fs.existsSync(file)) throw userError('no-adapter', 'adapter.js is missing beside savepoint.js: run `npm run build`');
  const adapter = requireCached(file) as { runDap(plan: ServePlan): Promise<number> };
  return await adapter.runDap(plan);
}
