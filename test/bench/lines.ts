/**
 * The result of the benchmark: lines of "ours against another, by this bar", and the table of them. Pure.
 *
 * A bar is read as DESIGN.md writes it: `atMost 0.25` is a share of the other's time, `atLeast 5` how many times better than the other.
 */

export type Bar = { readonly atMost: number } | { readonly atLeast: number };

export interface Quantity {
  readonly value: number;
  readonly unit: 'ms' | '/s' | 'MiB/s' | 'MiB' | '';
}

export interface Line {
  readonly row: string;
  readonly ours: Quantity;
  /** What it is measured against, in the same run. */
  readonly other?: Quantity & { readonly name: string };
  readonly bar?: Bar;
  readonly note?: string;
}

/** A line that could not be measured. */
export interface FailedLine {
  readonly row: string;
  readonly failed: string;
}

export interface Judged extends Line {
  /** In the sense of the bar; undefined without another. */
  readonly ratio?: number;
  readonly met?: boolean;
}

export const ms = (value: number): Quantity => ({ value, unit: 'ms' });
export const perSecond = (value: number): Quantity => ({ value, unit: '/s' });
export const mibPerSecond = (value: number): Quantity => ({ value, unit: 'MiB/s' });
export const mib = (value: number): Quantity => ({ value, unit: 'MiB' });

const isRate = (quantity: Quantity): boolean => quantity.unit === '/s' || quantity.unit === 'MiB/s';

export function judge(line: Line): Judged {
  const { ours, other, bar } = line;
  if (other === undefined) return line;
  const share = ours.value / other.value;
  const wantsTimes = bar !== undefined && 'atLeast' in bar;
  const ratio = wantsTimes && !isRate(ours) ? 1 / share : share;
  if (bar === undefined) return { ...line, ratio };
  return { ...line, ratio, met: 'atMost' in bar ? ratio <= bar.atMost : ratio >= bar.atLeast };
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function formatNumber(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const formatQuantity = ({ value, unit }: Quantity): string => `${formatNumber(value)}${unit === '' ? '' : ` ${unit}`}`;

const formatBar = (bar: Bar): string => ('atMost' in bar ? `≤ ${bar.atMost}` : `≥ ${bar.atLeast} ×`);

const HEADER = ['', 'ours', 'against', '', 'ratio', 'bar', ''];

/** Notes stand below, by number, so that the table stays narrow. */
export function table(lines: readonly (Judged | FailedLine)[]): string {
  const notes: string[] = [];
  const note = (text: string | undefined): string => (text === undefined ? '' : ` [${notes.push(text)}]`);
  const cells = lines.map((line): string[] => {
    if ('failed' in line) return [line.row, 'failed', '', '', '', '', `failed${note(line.failed)}`];
    const { row, ours, other, ratio, bar, met } = line;
    const verdict = met === undefined ? '' : met ? 'met' : 'NOT MET';
    return [
      row,
      formatQuantity(ours),
      other === undefined ? '' : formatQuantity(other),
      other?.name ?? '',
      ratio === undefined ? '' : formatNumber(ratio),
      bar === undefined ? '' : formatBar(bar),
      `${verdict}${note(line.note)}`,
    ];
  });
  const all = [HEADER, ...cells];
  const widths = HEADER.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const numeric = new Set([1, 2, 4]);
  const text = all.map((row) =>
    row
      .map((cell, column) => (numeric.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(Math.max(...text.map((row) => row.length)));
  const below = notes.map((sentence, index) => `[${index + 1}] ${sentence}`);
  return [text[0], rule, ...text.slice(1), ...(below.length > 0 ? ['', ...below] : [])].join('\n');
}
