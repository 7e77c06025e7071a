/** Modules (the program and its libraries), source files, and the text of a source that the client cannot read itself. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import * as fs from 'node:fs';
import { userError } from '../../native/base/errors';
import { type GdbLibrary, listSharedLibraries, listSourceFiles, readLibrary } from '../gdb/commands-data';
import { type MiTuple, textOf } from '../gdb/mi-values';
import { baseName } from './breakpoints';
import type { CodeSources } from './code-sources';
import type { Core } from './core';

export class Files {
  private readonly modules = new Map<string, DebugProtocol.Module>();

  /** What the client was told of sources, since it asked for them. */
  private toldSources: Map<string, DebugProtocol.Source> | undefined;
  private sourcesMayDiffer = false;

  constructor(
    private readonly core: Core,
    private readonly code: CodeSources,
  ) {}

  addProgram(program: string): void {
    const module = { id: program, name: baseName(program), path: program, symbolStatus: 'Symbols loaded' };
    this.modules.set(program, module);
    this.core.client.send('module', { reason: 'new', module });
  }

  onLoaded(fields: MiTuple): void {
    this.onLibraries();
    const module = describe(readLibrary(fields));
    const reason = this.modules.has(String(module.id)) ? 'changed' : 'new';
    this.modules.set(String(module.id), module);
    this.core.client.send('module', { reason, module });
  }

  onUnloaded(fields: MiTuple): void {
    this.onLibraries();
    const id = textOf(fields, 'id');
    const module = id === undefined ? undefined : this.modules.get(id);
    if (id === undefined || module === undefined) return;
    this.modules.delete(id);
    this.core.client.send('module', { reason: 'removed', module });
  }

  private onLibraries(): void {
    this.sourcesMayDiffer = true;
    this.code.onLibraries();
  }

  async list(args: DebugProtocol.ModulesArguments): Promise<DebugProtocol.ModulesResponse['body']> {
    if (this.core.program.kind === 'stopped') {
      for (const library of await listSharedLibraries(this.core.gdb)) this.modules.set(library.id, describe(library));
    }
    const all = [...this.modules.values()];
    const start = args.startModule ?? 0;
    const count = args.moduleCount === undefined || args.moduleCount === 0 ? all.length : args.moduleCount;
    return { modules: all.slice(start, start + count), totalModules: all.length };
  }

  async sources(): Promise<DebugProtocol.LoadedSourcesResponse['body']> {
    const sources = await this.core.program.whileStopped(() => this.findSources());
    this.toldSources = sources;
    return { sources: [...sources.values()] };
  }

  private async findSources(): Promise<Map<string, DebugProtocol.Source>> {
    this.sourcesMayDiffer = false;
    const names = await listSourceFiles(this.core.gdb);
    const here = names.filter((name) => name.startsWith('/'));
    return new Map(here.map((name) => [name, { name: baseName(name), path: this.core.toClientPath(name) }]));
  }

  /** At a stop: a client that has the list hears what libraries have brought since and what went with them. */
  async tellNewSources(): Promise<void> {
    const told = this.toldSources;
    if (told === undefined || !this.sourcesMayDiffer || this.core.program.kind !== 'stopped') return;
    const now = await this.findSources();
    this.toldSources = now;
    for (const [name, source] of now) if (!told.has(name)) this.core.client.send('loadedSource', { reason: 'new', source });
    for (const [name, source] of told) if (!now.has(name)) this.core.client.send('loadedSource', { reason: 'removed', source });
  }

  source(args: DebugProtocol.SourceArguments): DebugProtocol.SourceResponse['body'] {
    const reference = args.source?.sourceReference ?? args.sourceReference ?? 0;
    if (reference > 0) return { content: this.code.text(reference), mimeType: 'text/x-asm' };
    const given = args.source?.path;
    if (given === undefined) throw userError('source', 'there is no source of that number');
    try {
      return { content: fs.readFileSync(this.core.toGdbPath(given), 'utf8'), mimeType: 'text/x-c' };
    } catch (cause) {
      throw userError('source', `the source cannot be read: ${(cause as Error).message}`);
    }
  }
}

function describe(library: GdbLibrary): DebugProtocol.Module {
  return {
    id: library.id,
    name: baseName(library.file),
    path: library.file,
    symbolStatus: library.hasSymbols ? 'Symbols loaded' : 'Symbols not loaded',
    ...(library.from === undefined ? {} : { addressRange: `${library.from}-${library.to ?? ''}` }),
  };
}
