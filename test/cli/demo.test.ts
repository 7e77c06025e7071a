import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { CliPlace, root } from '../support/cli-session';

it('the demo finds the culprit, in one process', async () => {
  const place = new CliPlace();
  try {
    const demo = spawn(process.execPath, [path.join(root, 'scripts/demo.mjs')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: place.environment(),
    });
    let output = '';
    for (const stream of [demo.stdout, demo.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    const code = await new Promise((resolve) => demo.once('close', resolve));
    expect(output).toMatch(/^Found: process \d+ before and after/m);
    expect(code).toBe(0);
    await place.expectNothingLeft();
  } finally {
    place.close();
  }
});
