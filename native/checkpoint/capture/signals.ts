/**
 * What belongs to the process about signals: dispositions and the shared queue.
 */

import type { EngineThread, ProcessAnswers } from '../../owner/engine-host';
import * as ptrace from '../../sys/ptrace';
import { alive } from '../gone';
import type { SignalState } from '../state';

export function captureSignals(worker: EngineThread, answers: ProcessAnswers): SignalState {
  return { actions: answers.actions, pending: alive(ptrace.peekSiginfo(worker.ref.tid, true)) };
}
