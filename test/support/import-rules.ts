/**
 * The rules about who may import whom and how files look, as a pure function over a map from path to text.
 *
 * Paths are relative to the project, with '/'. It parses imports with regular expressions, not with a compiler: the house style
 * keeps imports plain enough for that. An import whose target has no file is judged by its path all the same.
 */

export type Files = ReadonlyMap<string, string>;
export type Violation = { file: string; rule: string; detail: string };
export type Import = { specifier: string; typeOnly: boolean };

/** A layer of the product, and the layers it may import from besides itself. */
type Layer = { path: string; may: readonly string[] | 'everything' };

/** The first entry whose path matches decides; a path that ends in '/' is a folder. */
const layers: readonly Layer[] = [
  { path: 'native/base/', may: [] },
  { path: 'native/abi/', may: [] },
  { path: 'native/arch/', may: ['native/base/', 'native/abi/'] },
  { path: 'native/sys/', may: ['native/base/', 'native/abi/'] },
  { path: 'native/owner/', may: ['native/base/', 'native/abi/', 'native/arch/', 'native/sys/'] },
  { path: 'native/rsp/', may: ['native/base/', 'native/abi/', 'native/arch/', 'native/owner/'] },
  { path: 'native/checkpoint/', may: ['native/base/', 'native/abi/', 'native/arch/', 'native/sys/', 'native/owner/'] },
  { path: 'native/control/', may: ['native/base/', 'native/checkpoint/', 'native/owner/'] },
  { path: 'native/server/', may: 'everything' },
  { path: 'native/cli/', may: 'everything' },
  { path: 'native/compose.ts', may: 'everything' },
  { path: 'native/program.ts', may: 'everything' },
  { path: 'native/main.ts', may: ['native/base/'] },
  {
    path: 'adapter/',
    may: [
      ...['native/base/', 'native/control/schema.ts', 'native/control/client.ts'],
      ...['native/cli/dap-args.ts', 'native/cli/gdb-args.ts', 'native/cli/gdb-pair.ts'],
    ],
  },
  { path: 'extension/', may: ['native/control/schema.ts'] },
];

/** Folders and files that only the named may import, whatever the layers say. */
const closed: readonly { path: string; openTo: readonly string[] }[] = [
  { path: 'native/compose.ts', openTo: ['native/program.ts', 'native/cli/'] },
  { path: 'native/main.ts', openTo: [] },
  { path: 'native/program.ts', openTo: [] },
  { path: 'native/server/', openTo: ['native/server/', 'native/compose.ts'] },
  { path: 'native/rsp/handlers/', openTo: ['native/rsp/', 'native/compose.ts'] },
  { path: 'adapter/dap/', openTo: ['adapter/dap/', 'adapter/session/', 'adapter/compose.ts', 'adapter/main.ts'] },
  { path: 'adapter/gdb/', openTo: ['adapter/gdb/', 'adapter/session/', 'adapter/compose.ts', 'adapter/main.ts'] },
];

const maxLines = 500;
const sourceFile = /\.(ts|c|cc|h|py|mjs|cjs)$/;
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;

export function checkFiles(files: Files): Violation[] {
  const violations: Violation[] = [];
  for (const [file, text] of files) {
    if (!sourceFile.test(file)) continue;
    const report = (rule: string, detail: string): void => void violations.push({ file, rule, detail });
    checkShape(file, text, report);
    if (isProduct(file)) checkImports(file, text, files, report);
  }
  for (const cycle of findCycles(files)) violations.push({ file: cycle[0], rule: 'cycle', detail: cycle.join(' -> ') });
  return violations;
}

type Report = (rule: string, detail: string) => void;

function checkShape(file: string, text: string, report: Report): void {
  const name = baseName(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines > maxLines) report('length', `${lines} lines, ${maxLines} at most`);
  if (!kebabCase.test(name)) report('name', `${name} is not kebab-case`);
  if (name === 'index.ts') report('barrel', 'index.ts hides where things are');
  if (!isProduct(file)) return;
  const code = stripComments(text);
  if (/\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/.test(code)) report('default export', 'exports have names');
  if (/libsavepoint/.test(text) && !file.startsWith('native/sys/')) report('libsavepoint', 'only native/sys/ knows the shim');
}

function checkImports(file: string, text: string, files: Files, report: Report): void {
  const layer = layerOf(file);
  if (layer === undefined) return report('layer', 'in no known layer');
  for (const { specifier, typeOnly } of parseImports(text)) {
    if (isKoffi(specifier) && file !== 'native/sys/shim.ts') report('koffi', 'only native/sys/shim.ts loads native code');
    if (!specifier.startsWith('.')) continue;
    const target = resolveImport(file, specifier, files);
    if (!mayImport(file, layer, target)) report('direction', `${file} -> ${target}`);
    if (/^(adapter|extension)\//.test(file) && target === 'native/control/schema.ts' && !typeOnly)
      report('types only', `${file} -> ${target}`);
  }
}

function mayImport(file: string, layer: Layer, target: string): boolean {
  const gate = closed.find((entry) => covers(entry.path, target));
  if (gate !== undefined && !gate.openTo.some((path) => covers(path, file))) return false;
  if (covers(layer.path, target)) return true;
  if (layer.may === 'everything') return target.startsWith('native/');
  return layer.may.some((path) => covers(path, target));
}

function layerOf(file: string): Layer | undefined {
  return layers.find((entry) => covers(entry.path, file));
}

function covers(path: string, file: string): boolean {
  return path.endsWith('/') ? file.startsWith(path) : file === path;
}

function isProduct(file: string): boolean {
  return /^(native|adapter|extension)\/.*\.ts$/.test(file);
}

function isKoffi(specifier: string): boolean {
  return /^(@koromix\/)?koffi\b/.test(specifier);
}

/**
 * The import and export forms, over text without comments. In `bindings` there is no quote and no semicolon, so that a match
 * never runs from one statement into the next.
 */
const fromForm = /\b(?:import|export)\b(?<bindings>[^'";]*?)\bfrom\s*(?<quote>['"])(?<specifier>[^'"\n]+)\k<quote>/g;
const bareForm = /\bimport\s*(?<quote>['"])(?<specifier>[^'"\n]+)\k<quote>/g;
const callForm =
  /\b(?:import|require|require\.resolve|createRequire\([^)]*\))\s*\(\s*(?<quote>['"`])(?<specifier>[^'"`\n]+)\k<quote>/g;

export function parseImports(text: string): Import[] {
  const code = stripComments(text);
  const found: Import[] = [];
  for (const { groups } of code.matchAll(fromForm)) {
    found.push({ specifier: groups!.specifier, typeOnly: isTypeOnly(groups!.bindings) });
  }
  for (const form of [bareForm, callForm]) {
    for (const { groups } of code.matchAll(form)) found.push({ specifier: groups!.specifier, typeOnly: false });
  }
  return found;
}

/** `type { … }`, or braces in which every name is marked `type`; a default or namespace binding beside them is a value. */
function isTypeOnly(bindings: string): boolean {
  if (/^\s*type\b(?!\s*(?:,|from\b))/.test(bindings)) return true;
  const braces = /^\s*\{(?<names>[^}]*)\}\s*$/.exec(bindings);
  const names = braces?.groups!.names.split(',').filter((name) => name.trim() !== '') ?? [];
  return names.length > 0 && names.every((name) => /^\s*type\s+\w/.test(name));
}

/** Blanks comments out and leaves strings alone, so that '//' in a string stays and an import in a comment goes. */
function stripComments(text: string): string {
  const token = /(?<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (match, string: string | undefined) => (string === undefined ? ' ' : match));
}

/** The imported path: the file that is in the map, or else what the specifier would name as a TypeScript file. */
function resolveImport(file: string, specifier: string, files: Files): string {
  const parts = file.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  const path = parts.join('/');
  const stem = path.replace(/\.js$/, '');
  return [path, `${stem}.ts`, `${path}/index.ts`].find((candidate) => files.has(candidate)) ?? `${stem}.ts`;
}

/** The cycles of imports that exist at run time, each once; type imports are erased and may go round. */
function findCycles(files: Files): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start !== -1) return void cycles.push([...path.slice(start), file]);
    if (done.has(file)) return;
    path.push(file);
    for (const target of runtimeTargets(file, files)) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of files.keys()) if (/\.(ts|mjs|cjs)$/.test(file)) visit(file);
  return cycles;
}

function runtimeTargets(file: string, files: Files): string[] {
  return parseImports(files.get(file)!)
    .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
    .map(({ specifier }) => resolveImport(file, specifier, files))
    .filter((target) => files.has(target));
}

function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}
