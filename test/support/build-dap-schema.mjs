/**
 * Makes dist/dap-schema.json: the JSON schema of every DAP message and of our own requests and events, from the types that
 * @vscode/debugprotocol ships (they are generated from DAP's official schema, which the package does not carry) and from
 * native/control/schema.ts. Properties that the types do not name are faults.
 */

import path from 'node:path';
import { dist, root, runStep, writeWhole } from '../../scripts/lib.mjs';

const protocol = path.join(root, 'node_modules/@vscode/debugprotocol/lib/debugProtocol.d.ts');
const ours = path.join(root, 'native/control/schema.ts');
const target = path.join(dist, 'dap-schema.json');

export async function buildDapSchema() {
  await runStep({
    stamp: path.join(dist, '.dap-schema.stamp'),
    inputs: [protocol, ours],
    more: '1',
    outputs: [target],
    act: async () => {
      const { createGenerator } = await import('ts-json-schema-generator');
      const definitions = [protocol, ours].map((file) => {
        const generator = createGenerator({ path: file, type: '*', expose: 'all', jsDoc: 'none', skipTypeCheck: true });
        return generator.createSchema('*').definitions;
      });
      writeWhole(target, JSON.stringify({ $id: 'dap', definitions: Object.assign({}, ...definitions) }));
    },
  });
}
