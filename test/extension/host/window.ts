/** The window, seen from the extension host: what it shows is told by the process that drives the browser (test/extension/window-door.ts). */

import * as http from 'node:http';
import type { Shown } from '../window-door';

/** Waits until the window shows this, and tells what it shows instead when it does not. */
export async function shows(expected: Shown): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sent = http.request({ socketPath: process.env['SAVEPOINT_WINDOW'], method: 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(text))));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(expected));
  });
}
