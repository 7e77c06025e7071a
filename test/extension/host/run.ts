/** Entry in the extension host. */

import './commands-tests';
import './starting-tests';
import { runAll } from './harness';

export async function run(): Promise<void> {
  await runAll();
}
