/** The Checkpoints view: rows of the active session as a tree, with their texts, icons and places. */

import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import type { CheckpointRecord } from '../../native/control/schema';
import { type SessionState, isSettled } from './session-state';
import type { Sessions } from './sessions';
import type { SourceLines } from './source-lines';
import { describeAge, describeBytes, describeRecord, describeThreads, nameOf, placeOf, warningsOf } from './texts';
import { type Row, makeRows } from './tree-rows';

export const VIEW_ID = 'savepoint.checkpoints';
const SCHEME = 'savepoint-checkpoint';
const AGES_MS = 20_000;

/** What a command on a row is given. */
export interface RowRef {
  readonly sessionId: string;
  readonly row: Row;
}

export class CheckpointsView implements vscode.TreeDataProvider<RowRef>, vscode.FileDecorationProvider, vscode.Disposable {
  private readonly treeChanges = new vscode.EventEmitter<RowRef | undefined>();
  readonly onDidChangeTreeData = this.treeChanges.event;
  private readonly decorationChanges = new vscode.EventEmitter<undefined>();
  readonly onDidChangeFileDecorations = this.decorationChanges.event;
  readonly view: vscode.TreeView<RowRef>;
  private rows: readonly Row[] = [];
  private refs = new Map<string, RowRef>();
  private parents = new Map<RowRef, RowRef>();
  private sessionId = '';
  /** Newly taken by the user: shown as soon as its row is there. */
  private toReveal: number | undefined;
  private readonly registrations: readonly vscode.Disposable[];

  constructor(
    private readonly sessions: Sessions,
    private readonly lines: SourceLines,
  ) {
    this.view = vscode.window.createTreeView(VIEW_ID, { treeDataProvider: this, showCollapseAll: true });
    const ages = setInterval(() => {
      if (this.view.visible && this.rows.length > 0) this.treeChanges.fire(undefined);
    }, AGES_MS);
    this.registrations = [
      this.view,
      this.treeChanges,
      this.decorationChanges,
      vscode.window.registerFileDecorationProvider(this),
      sessions.onDidChange(() => this.update()),
      lines.onDidRead(() => this.treeChanges.fire(undefined)),
      new vscode.Disposable(() => clearInterval(ages)),
    ];
    this.update();
  }

  /** The texts of all rows, as the tests and the walkthrough's pictures need them. */
  describeRows(): readonly string[] {
    const write = (rows: readonly Row[], depth: number): string[] =>
      rows.flatMap((row) => [
        `${'  '.repeat(depth)}${this.labelOf(row)}${row.kind === 'checkpoint' && row.mark !== undefined ? ` [${row.mark}]` : ''}`,
        ...write(row.children, depth + 1),
      ]);
    return write(this.rows, 0);
  }

  /**
   * VS Code draws a tree at once when it was quiet for 200 ms, and otherwise 200 ms after it was last told of a change. So it is told only of what
   * will stay, and only when that is another picture.
   */
  private update(): void {
    const { active } = this.sessions;
    const state = active?.state;
    const isOther = this.sessionId !== (active?.debug.id ?? '');
    if (!isOther && state !== undefined && !isSettled(state)) return;
    const rows = state === undefined ? [] : makeRows(state);
    if (!isOther && isDeepStrictEqual(rows, this.rows)) return;
    this.sessionId = active?.debug.id ?? '';
    this.rows = rows;
    this.refs = new Map();
    this.parents = new Map();
    this.index(this.rows, undefined);
    this.view.description = state === undefined ? undefined : describeMany(state);
    this.treeChanges.fire(undefined);
    this.decorationChanges.fire(undefined);
    if (this.toReveal !== undefined) void this.reveal(this.toReveal);
  }

  private index(rows: readonly Row[], parent: RowRef | undefined): void {
    for (const row of rows) {
      const ref = { sessionId: this.sessionId, row };
      this.refs.set(keyOf(row), ref);
      if (parent !== undefined) this.parents.set(ref, parent);
      this.index(row.children, ref);
    }
  }

  /** Shows the checkpoint's row, now or when the list is there. */
  async reveal(id: number): Promise<void> {
    const ref = this.refs.get(checkpointKey(id));
    this.toReveal = ref === undefined ? id : undefined;
    if (ref === undefined) return;
    try {
      await this.view.reveal(ref, { select: true, focus: false, expand: false });
    } catch {
      // The tree has changed meanwhile; nothing is lost.
    }
  }

  // --- TreeDataProvider ---

  getChildren(ref?: RowRef): RowRef[] {
    const rows = ref === undefined ? this.rows : ref.row.children;
    return rows.map((row) => this.refs.get(keyOf(row)) ?? { sessionId: this.sessionId, row });
  }

  getParent(ref: RowRef): RowRef | undefined {
    return this.parents.get(ref);
  }

  getTreeItem({ row, sessionId }: RowRef): vscode.TreeItem {
    const item = new vscode.TreeItem(this.labelOf(row));
    // What had no children stays folded when it gets some, unless it is another row to the editor.
    item.id = `${sessionId} ${keyOf(row)}${row.children.length > 0 ? ' with branches' : ''}`;
    item.resourceUri = vscode.Uri.from({ scheme: SCHEME, path: `/${keyOf(row)}`, query: decorationOf(row) });
    switch (row.kind) {
      case 'automatic':
        item.collapsibleState = vscode.TreeItemCollapsibleState.Collapsed;
        item.iconPath = new vscode.ThemeIcon('history', new vscode.ThemeColor('disabledForeground'));
        item.contextValue = 'automaticGroup';
        item.tooltip = 'Taken by themselves at each stop, for Step Back. Old ones are dropped when there are many.';
        item.accessibilityInformation = { label: `${row.count} automatic checkpoints` };
        break;
      case 'branch':
        item.collapsibleState = vscode.TreeItemCollapsibleState.Expanded;
        item.iconPath = new vscode.ThemeIcon('git-branch');
        item.contextValue = 'branch';
        item.description = `from ${row.fromId}`;
        item.accessibilityInformation = { label: `Branch from checkpoint ${row.fromId}, ${row.count} checkpoints` };
        break;
      case 'checkpoint':
        this.fillCheckpoint(item, row);
    }
    return item;
  }

  private labelOf(row: Row): string {
    switch (row.kind) {
      case 'automatic':
        return `${row.count} automatic`;
      case 'branch':
        return 'Branch';
      case 'checkpoint':
        return `${row.record.id}  ${this.nameOf(row.record)}`;
    }
  }

  nameOf(record: CheckpointRecord): string {
    return nameOf(record, this.lines.textOf(record.stop?.source, record.stop?.line));
  }

  private fillCheckpoint(item: vscode.TreeItem, row: Extract<Row, { kind: 'checkpoint' }>): void {
    const { record, mark, inPast } = row;
    const warnings = warningsOf(record);
    const marker = markText(mark, inPast);
    item.description = [marker, describeRecord(record, Date.now())].filter((text) => text !== undefined).join(' · ');
    item.contextValue = `checkpoint${record.automatic ? ' automatic' : ' named'}${mark === 'here' ? ' here' : ''}`;
    item.iconPath = iconOf(row, warnings.length > 0);
    item.tooltip = this.tooltipOf(record, marker);
    if (row.children.length > 0) item.collapsibleState = vscode.TreeItemCollapsibleState.Expanded;
    item.accessibilityInformation = { label: this.accessibleText(record, marker, warnings) };
    if (record.stop?.source !== undefined && record.stop.line !== undefined) {
      const at = new vscode.Position(record.stop.line - 1, 0);
      item.command = {
        title: 'Show the source line',
        command: 'vscode.open',
        arguments: [vscode.Uri.file(record.stop.source), { selection: new vscode.Range(at, at), preserveFocus: true }],
      };
    }
  }

  private accessibleText(record: CheckpointRecord, marker: string | undefined, warnings: readonly string[]): string {
    const place = placeOf(record);
    const parts = [
      `${record.automatic ? 'Automatic checkpoint' : 'Checkpoint'} ${record.id}, ${this.nameOf(record)}`,
      marker,
      place === undefined ? undefined : `at ${place}`,
      describeThreads(record.threads),
      describeAge(record.createdAt, Date.now()),
      warnings.length === 0 ? undefined : `does not go back exactly: ${warnings.join('; ')}`,
    ];
    return parts.filter((part) => part !== undefined).join(', ');
  }

  private tooltipOf(record: CheckpointRecord, marker: string | undefined): vscode.MarkdownString {
    const text = new vscode.MarkdownString(undefined, true);
    text.appendMarkdown(`**Checkpoint ${record.id}** `).appendText(this.nameOf(record));
    if (marker !== undefined) text.appendMarkdown(`  \n${marker}`);
    const taken = new Date(record.createdAt).toLocaleTimeString();
    text.appendMarkdown(
      `\n\n${describeThreads(record.threads)} of process ${record.pid} · taken at ${taken} in ${record.durationMs.toFixed(1)} ms` +
        `  \n${describeBytes(record.bytes)} of memory, ${describeBytes(record.ownBytes)} of it held by this checkpoint alone`,
    );
    if (record.fidelity.length > 0) {
      text.appendMarkdown(`\n\n${warningsOf(record).length > 0 ? '$(warning) ' : ''}**What does not go back**\n`);
      for (const sentence of record.fidelity) text.appendMarkdown('\n- ').appendText(sentence);
    }
    return text;
  }

  // --- FileDecorationProvider ---

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== SCHEME) return undefined;
    switch (uri.query) {
      case 'here':
        return new vscode.FileDecoration('●', 'The program is here', new vscode.ThemeColor('charts.green'));
      case 'past':
        return new vscode.FileDecoration('◀', 'The program is here, in the past', new vscode.ThemeColor('charts.orange'));
      case 'dim':
        return new vscode.FileDecoration(undefined, undefined, new vscode.ThemeColor('disabledForeground'));
      default:
        return undefined;
    }
  }

  dispose(): void {
    for (const registration of this.registrations) registration.dispose();
  }
}

const checkpointKey = (id: number): string => `checkpoint ${id}`;

function keyOf(row: Row): string {
  return row.kind === 'checkpoint' ? checkpointKey(row.record.id) : row.id;
}

function decorationOf(row: Row): string {
  if (row.kind === 'automatic') return 'dim';
  if (row.kind === 'branch') return '';
  if (row.mark === 'here') return row.inPast ? 'past' : 'here';
  return row.record.automatic ? 'dim' : '';
}

function markText(mark: Extract<Row, { kind: 'checkpoint' }>['mark'], inPast: boolean): string | undefined {
  switch (mark) {
    case 'here':
      return inPast ? 'you are here, in the past' : 'you are here';
    case 'since':
      return 'going on from here';
    case 'undo':
      return 'you came from here';
    case undefined:
      return undefined;
  }
}

function iconOf({ record, mark, inPast }: Extract<Row, { kind: 'checkpoint' }>, warn: boolean): vscode.ThemeIcon {
  if (warn) return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  if (mark === 'here')
    return new vscode.ThemeIcon('debug-stackframe', new vscode.ThemeColor(inPast ? 'charts.orange' : 'charts.green'));
  if (record.automatic) return new vscode.ThemeIcon('circle-small', new vscode.ThemeColor('disabledForeground'));
  return new vscode.ThemeIcon('device-camera');
}

function describeMany(state: SessionState): string | undefined {
  const { checkpoints } = state.list;
  if (checkpoints.length === 0) return undefined;
  return describeBytes(checkpoints.reduce((sum, { ownBytes }) => sum + ownBytes, 0));
}
