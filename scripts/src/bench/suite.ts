import type { BenchRow } from './row.ts';
import type { RunningSystem } from './system.ts';

export type Suite = Readonly<{
  /** One line for `--help`. */
  about: string;
  /** The rows it owes; those it does not come to are printed as not run. It may print more. */
  rows: readonly string[];
  /** It starts systems as it needs them; the one that suites share is down meanwhile. */
  ownSystem?: true;
  /** `system` is the one that suites share. Rows already emitted stay when it throws. */
  run: (system: () => Promise<RunningSystem>, emit: (...rows: readonly BenchRow[]) => void, sizes: Sizes) => Promise<void>;
}>;

/** How much a suite makes, where that takes long. */
export type Sizes = Readonly<{ budgets: number; events: number; timers: number }>;

/** Runs a suite to its rows. Never rejects: what went wrong is the note of the rows that are missing. */
export const runSuite = async (
  name: string,
  suite: Suite,
  system: () => Promise<RunningSystem>,
  sizes: Sizes,
): Promise<readonly BenchRow[]> => {
  const rows: BenchRow[] = [];
  let reason = 'the suite ended without it';
  try {
    await suite.run(system, (...more) => rows.push(...more), sizes);
  } catch (error) {
    reason = shortened(error instanceof Error ? error.message : String(error));
    process.stderr.write(`${name}: ${error instanceof Error ? error.stack : reason}\n`);
  }
  const seen = new Set(rows.map((row) => row.name));
  const missing = suite.rows.filter((row) => !seen.has(row));
  return [...rows, ...missing.map((row): BenchRow => ({ name: row, value: null, unit: '', note: reason }))];
};

const LONGEST_REASON = 120;

const shortened = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= LONGEST_REASON ? line : `${line.slice(0, LONGEST_REASON)}…`;
};
