/** Runs to a line by a breakpoint that is there only for that, as the editor's own Run to Cursor does. */

import * as vscode from 'vscode';
import type { Session } from './sessions';

/** `elsewhere`: something else stopped the program first, or it ended. `call`: what the call stack's menu gave, if it was that. */
export async function runToLine(session: Session, place: vscode.Location, call: unknown): Promise<'there' | 'elsewhere'> {
  const threadId = session.state.stop?.threadId;
  if (threadId === undefined) return 'elsewhere';
  const isThere = (breakpoint: vscode.Breakpoint): boolean =>
    breakpoint instanceof vscode.SourceBreakpoint &&
    breakpoint.enabled &&
    breakpoint.condition === undefined &&
    breakpoint.hitCondition === undefined &&
    breakpoint.logMessage === undefined &&
    breakpoint.location.uri.toString() === place.uri.toString() &&
    breakpoint.location.range.start.line === place.range.start.line;
  const own = vscode.debug.breakpoints.some(isThere) ? undefined : new vscode.SourceBreakpoint(place);
  try {
    if (own !== undefined) {
      const set = session.breakpointSet(place.uri.fsPath, place.range.start.line + 1);
      vscode.debug.addBreakpoints([own]);
      await set;
    }
    const stop = session.nextStop();
    // Not a request of ours: the editor would not know that the program runs. What is no call means the one in front.
    await vscode.commands.executeCommand('workbench.action.debug.continue', '', call);
    if ((await stop) === 'ended') return 'elsewhere';
    const top = (await session.debug.customRequest('stackTrace', {
      threadId: session.state.stop?.threadId ?? threadId,
      startFrame: 0,
      levels: 1,
    })) as { stackFrames?: readonly { line: number; source?: { path?: string } }[] };
    const [frame] = top.stackFrames ?? [];
    return pathOf(frame?.source?.path) === place.uri.fsPath && frame !== undefined && frame.line >= place.range.start.line + 1
      ? 'there'
      : 'elsewhere';
  } finally {
    if (own !== undefined) vscode.debug.removeBreakpoints([own]);
  }
}

/** VS Code makes URIs of the paths in answers that pass through the window; of a remote's, `vscode-remote:` ones. */
function pathOf(path: string | undefined): string | undefined {
  return path === undefined || path.startsWith('/') ? path : vscode.Uri.parse(path).path;
}
