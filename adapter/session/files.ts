/** Modules (the program and its libraries), source files, and the text of a source that the client cannot read itself. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import * as fs from 'node:fs';
import { userError } from '../../native/base/errors';
import { type GdbLibrary, listSharedLibraries, listSourceFiles, readLibrary } from '../gdb/commands-data';
import { type MiTuple, textOf } from '../gdb/mi-values';
import { baseName } from './breakpoints';
import type { Core } from './core';

export class Files {
  private readonly modules = new Map<string, DebugProtocol.Module>();

  constructor(private readonly core: Core) {}

  addProgram(program: string): void {
    const module = { id: program, name: baseName(program), path: program, symbolStatus: 'Symbols loaded' };
    this.modules.set(program, module);
    this.core.client.send('module', { reason: 'new', module });
  }

  onLoaded(fields: MiTuple): void {
    const module = describe(readLibrary(fields));
    const reason = this.modules.has(String(module.id)) ? 'changed' : 'new';
    this.modules.set(String(module.id), module);
    this.core.client.send('module', { reason, module });
  }

  onUnloaded(fields: MiTuple): void {
    const id = textOf(fields, 'id');
    const module = id === undefined ? undefined : this.modules.get(id);
    if (id === undefined || module === undefined) return;
    this.modules.delete(id);
    this.core.client.send('module', { reason: 'removed', module });
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
    const names = await this.core.program.whileStopped(() => listSourceFiles(this.core.gdb));
    return {
      sources: names
        .filter((name) => name.startsWith('/'))
        .map((name) => ({ name: baseName(name), path: this.core.toClientPath(name) })),
    };
  }

  source(args: DebugProtocol.SourceArguments): DebugProtocol.SourceResponse['body'] {
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
