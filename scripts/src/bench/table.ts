import type { About } from './about.ts';
import type { BenchRow } from './row.ts';

/** The rows as a person reads them: figure, limit, ratio, and whether it reaches its floor and its goal. */
export const renderRows = (about: About, rows: readonly BenchRow[]): string => {
  const cells = rows.map((row) => [row.name, figure(row.value, row.unit), limit(row), verdict(row), row.note ?? '']);
  const head = ['what', 'measured', 'limit or peer, same run', 'verdict', ''];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((cell) => (cell[column] ?? '').length)));
  const line = (cell: readonly string[]): string =>
    cell
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const settings = Object.entries(about.settings).map(([name, value]) => `${name}=${value}`);
  return [
    `commit ${about.commit}, ${about.date}, ${about.machine}, load ${about.load.before} → ${about.load.after}, ${about.seconds} s`,
    ...(settings.length === 0 ? [] : [`PostgreSQL ${settings.join(' ')}`]),
    line(head),
    ...cells.map(line),
    '',
  ].join('\n');
};

const figure = (value: number | null | undefined, unit: string): string =>
  value === null || value === undefined ? 'not run' : `${format(value)} ${unit}`;
const format = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));

const limit = (row: BenchRow): string => {
  if (row.limitName === undefined) return '';
  const ratio = row.ratio === null || row.ratio === undefined ? '' : `, ratio ${row.ratio.toPrecision(3)}`;
  return `${row.limitName}: ${figure(row.limit, row.unit)}${ratio}`;
};

const verdict = (row: BenchRow): string => {
  const measured = row.ratio ?? row.value;
  if (measured === null || (row.floor === undefined && row.goal === undefined)) return '';
  const reaches = (bound: number): boolean => (row.lowerIsBetter === true ? measured <= bound : measured >= bound);
  if (row.floor !== undefined && !reaches(row.floor)) return `MISSES floor ${row.floor}`;
  if (row.goal === undefined) return row.lowerIsBetter === true ? `within ${row.floor}` : `floor ${row.floor} reached`;
  if (reaches(row.goal)) return `goal ${row.goal} reached`;
  return row.floor === undefined ? `goal ${row.goal} not reached` : `floor ${row.floor} reached, goal ${row.goal} not`;
};
