/** Breakpoints that leave a checkpoint each time they are hit: log points whose message says so, which the adapter does the work of. */

import * as vscode from 'vscode';

export const CHECKPOINT_MESSAGE = '{checkpoint}';

/** Whether it was added. */
export function addCheckpointBreakpoint(place: vscode.Location): boolean {
  const { line } = place.range.start;
  const isThere = vscode.debug.breakpoints.some(
    (breakpoint) =>
      breakpoint instanceof vscode.SourceBreakpoint &&
      breakpoint.logMessage?.includes('{checkpoint') === true &&
      breakpoint.location.uri.toString() === place.uri.toString() &&
      breakpoint.location.range.start.line === line,
  );
  if (isThere) return false;
  const at = new vscode.Location(place.uri, new vscode.Position(line, 0));
  vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(at, true, undefined, undefined, CHECKPOINT_MESSAGE)]);
  return true;
}
