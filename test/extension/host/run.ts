/** All tests that run in the extension host; `run` is what VS Code calls there. */

// First: what is seen before there was a session.
import './states-tests';
import './commands-tests';
import './starting-tests';
import './settings-tests';
import { runAll } from './harness';

export async function run(): Promise<void> {
  await runAll();
}
