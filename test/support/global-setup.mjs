/**
 * Runs once before the tests that need the built program: dist/ and the C fixtures are brought up to date.
 * What is already fresh is not built again.
 */

import { build } from '../../scripts/build.mjs';
import { buildDapSchema } from './build-dap-schema.mjs';
import { buildFixtures } from './build-fixtures.mjs';

export default async function globalSetup() {
  await build();
  await buildFixtures();
  await buildDapSchema();
}
