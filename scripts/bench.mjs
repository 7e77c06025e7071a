/**
 * `npm run bench`: compiles test/bench/*.c, bundles test/bench/bench.ts, runs it, prints the table.
 *
 * Everything is a ratio of two things measured in the same run; absolute numbers differ from machine to machine.
 */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compile, dist, Failure, isMain, listFiles, root, run, runMain, runStep, writeWhole } from './lib.mjs';

const folder = path.join(root, 'test/bench');
const output = path.join(dist, 'bench');

const help = `npm run bench -- [--quick] [--only PART] [--json FILE] [--list]

  --quick       fewer rounds, under two minutes
  --only PART   only rows whose name contains PART
  --json FILE   the lines as JSON, too
  --list        the rows' names`;

/** What each program is compiled with besides \`-g -no-pie -pthread\`. */
const optimisation = { steps: '-O0', adapter: '-O0' };

async function buildPrograms() {
  const compiler = process.env.CC || 'cc';
  for (const source of listFiles(folder, /\.c$/)) {
    const { name } = path.parse(source);
    const flags = [
      optimisation[/** @type {keyof typeof optimisation} */ (name)] ?? '-O1',
      '-g',
      '-no-pie',
      '-pthread',
      '-Wall',
      '-Wextra',
    ];
    const target = path.join(output, name);
    await runStep({
      stamp: path.join(output, `.${name}.stamp`),
      inputs: [source],
      more: [compiler, ...flags].join(' '),
      outputs: [target],
      act: () => compile(compiler, [...flags, source], target),
    });
  }
}

async function bundle() {
  const { build } = await import('esbuild');
  const result = await build({
    entryPoints: [path.join(folder, 'bench.ts')],
    outfile: path.join(output, 'bench.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // It finds parts of its own by where it lies.
    external: ['playwright-core'],
    absWorkingDir: root,
    write: false,
  }).catch(() => {
    throw new Failure('bench: test/bench/bench.ts was not bundled, for the reasons above');
  });
  for (const file of result.outputFiles) writeWhole(file.path, file.contents);
  return /** @type {typeof import('../test/bench/bench')} */ (await import(path.join(output, 'bench.cjs')));
}

async function describeMachine() {
  const [cpu] = os.cpus();
  const load = os
    .loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
  const { output: gdb } = await run('gdb', ['--version']);
  return {
    date: new Date().toISOString(),
    cpu: `${os.cpus().length} x ${cpu?.model ?? '?'}`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    kernel: os.release(),
    node: process.version,
    gdb: gdb.split('\n', 1)[0] ?? '',
    load,
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      list: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  await buildPrograms();
  const { rowNames, runBench } = await bundle();
  if (values.list) {
    console.log(rowNames().join('\n'));
    return 0;
  }
  const machine = await describeMachine();
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  );
  const { lines, text } = await runBench({ quick: values.quick, only: values.only }, (line) => console.error(line));
  console.log(`\n${text}`);
  if (values.json !== undefined)
    fs.writeFileSync(values.json, `${JSON.stringify({ machine, quick: values.quick, lines }, null, 2)}\n`);
  return lines.some((line) => 'failed' in line) ? 1 : 0;
}

if (isMain(import.meta.url)) {
  await runMain(main);
}
