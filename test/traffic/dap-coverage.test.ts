/**
 * After a whole run of the adapter's tests: every request was answered with success in one, and every event came. To run it by itself, behind
 * the adapter's tests: `SAVEPOINT_WHOLE_RUN=1 npx jest --selectProjects traffic`; with `WRITE_TABLES=1` it writes the documentation's tables.
 */

import { missing, readTraffic, tablesOf } from '../support/dap-coverage';
import { documentTables, documentedTables, offered } from '../support/dap-offered';

const traffic = readTraffic();

test('every request was answered with success, and every event came', () => {
  expect(missing(offered, traffic)).toEqual([]);
});

test('the tables in docs/debug-adapter.md are these', () => {
  const tables = tablesOf(offered, traffic);
  if (process.env['WRITE_TABLES'] !== undefined) documentTables(tables);
  expect(documentedTables()).toBe(tables);
});
