/**
 * Joins the checkpoint engine to the RSP server (which must not know each other): `monitor` words, the armed restore that is answered as
 * the next resume, the entry checkpoint.
 */

import type { Log } from '../base/log';
import type { ServerHooks } from '../owner/ops';
import type { NativeTarget } from '../owner/target';
import type { Tracer } from '../owner/tracer';
import { VERSION } from '../cli/version';

export class CheckpointService {
  readonly hooks: ServerHooks;

  constructor(
    private readonly tracer: Tracer,
    private readonly target: NativeTarget,
    private readonly log: Log,
  ) {
    this.hooks = {
      monitor: (line) => this.monitor(line),
      beforeResume: () => undefined,
      beforeRun: () => undefined,
      afterStart: () => undefined,
    };
  }

  forget(_pid: number): void {}

  private monitor(line: string): string {
    if (line === 'savepoint-version') return `savepoint ${VERSION}\n`;
    return `Unknown command\n`;
  }
}
