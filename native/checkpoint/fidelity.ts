/**
 * What a checkpoint does not bring back, by name. Pure.
 */

import { O_ACCMODE, O_RDONLY } from '../abi/flags';
import { FILE_KINDS } from './file-kinds';
import { classify, isWritable } from './mappings';
import type { Snapshot } from './snapshot';
import type { FidelityNote, FileState } from './state';

/** Devices that have nothing to roll back. */
const STATELESS = /^\/dev\/(null|zero|full|u?random)$/;

function fileNote(file: FileState): FidelityNote | undefined {
  const subject = `fd ${file.fd}`;
  if (file.kind === 'file') {
    if ((file.flags & O_ACCMODE) === O_RDONLY) return undefined;
    return { subject, kind: file.kind, sentence: `${subject} (${file.target}): what is written to the file` };
  }
  const limit = FILE_KINDS[file.kind].limit;
  if (limit === undefined || STATELESS.test(file.target)) return undefined;
  return { subject, kind: file.kind, sentence: `${subject} (${file.target}): ${limit}` };
}

/** In the order of descriptors, then mappings, then the rest. */
export function fidelityNotes(snapshot: Pick<Snapshot, 'files' | 'mappings' | 'process' | 'pages'>): FidelityNote[] {
  const notes = snapshot.files.map(fileNote).filter((note): note is FidelityNote => note !== undefined);
  for (const mapping of snapshot.mappings) {
    const kind = classify(mapping);
    if (!isWritable(mapping) || (kind !== 'shared-file' && kind !== 'foreign')) continue;
    const at = `0x${mapping.start.toString(16)}`;
    notes.push({
      subject: `mapping ${at}`,
      kind,
      sentence: `mapping ${at} (${mapping.path}): its content belongs to the file or device`,
    });
  }
  const { posixTimers } = snapshot.process;
  if (posixTimers > 0)
    notes.push({
      subject: 'process',
      kind: 'timers',
      sentence: `${posixTimers} POSIX timer${posixTimers === 1 ? '' : 's'}: their settings`,
    });
  for (const { pid, name } of snapshot.process.children) {
    notes.push({
      subject: `process ${pid}`,
      kind: 'child',
      sentence: `child process ${pid} (${name}): it runs on as it is, or stays ended`,
    });
  }
  if (snapshot.pages.unreadable > 0) {
    notes.push({
      subject: 'process',
      kind: 'pages',
      sentence: `${snapshot.pages.unreadable} pages that the kernel lets nobody read`,
    });
  }
  return notes;
}
