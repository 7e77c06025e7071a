/** Four worker threads, each with messages to and fro for every item; prints a checksum that depends on every item once. */

import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const WORKERS = 4;

/** @param {number} item */
function compute(item) {
  let digest = createHash('sha256').update(String(item)).digest();
  for (let i = 0; i < 30; i += 1) digest = createHash('sha256').update(digest).digest();
  return digest.readBigUInt64LE();
}

/** @param {number} items */
function main(items) {
  const seen = new Set();
  let total = 0n;
  let next = 0;
  const give = (/** @type {Worker} */ worker) => {
    worker.postMessage(next < items ? next : -1);
    next += 1;
  };
  for (let i = 0; i < WORKERS; i += 1) {
    const worker = new Worker(fileURLToPath(import.meta.url));
    worker.on('message', ({ item, value }) => {
      if (seen.has(item)) throw new Error('an item came twice');
      seen.add(item);
      total = BigInt.asUintN(64, total + value * BigInt(item + 1));
      give(worker);
    });
    give(worker);
  }
  process.on('exit', () => console.log(`items ${seen.size} checksum ${total.toString(16).padStart(16, '0')}`));
}

function serve() {
  const port = parentPort;
  if (port === null) throw new Error('not a worker');
  port.on('message', (item) => {
    if (item < 0) port.close();
    else port.postMessage({ item, value: compute(item) });
  });
}

if (isMainThread) main(Number(process.argv[2]));
else serve();
