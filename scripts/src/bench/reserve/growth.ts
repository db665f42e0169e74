import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { NODE_FLAGS } from '../../up/services.ts';
import type { CallerFigures } from '../append-ours.ts';
import { inFreshDatabase } from '../bench-database.ts';
import type { BenchRow } from '../row.ts';

const HARNESS = join(import.meta.dirname, '../../../../services/budget-projector/bench/in-process.ts');
/** As `scripts/up` starts the owner. */
const OWNER_FLAGS = NODE_FLAGS['budget-projector'] ?? [];

export type Shape = Readonly<{
  reserves: number;
  /** Scopes above one another, a budget on each. */
  levels?: number;
  budgetsPerScope?: number;
  /** Budgets of the same tenant on scopes that nobody asks about. */
  others?: number;
}>;
export type InProcess = Readonly<{ reserve: CallerFigures; checksPerSecond: number }>;

/** The owner's desk, ledger and tables in one process of their own, on an empty database of the given server. */
export const inProcess = (serverUrl: string, shape: Shape): Promise<InProcess> =>
  inFreshDatabase(serverUrl, async (url) => {
    const child = spawn(process.execPath, [...OWNER_FLAGS, HARNESS, url, JSON.stringify(shape)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`the harness of the desk ended with ${code}`);
    return JSON.parse(text) as InProcess;
  });

const RESERVES = 12_800;
const SHAPES: readonly (readonly [string, Omit<Shape, 'reserves'>])[] = [
  ['1 level', { levels: 1 }],
  ['3 levels', { levels: 3 }],
  ['8 levels', { levels: 8 }],
  ['3 levels, 10 budgets per scope', { budgetsPerScope: 10 }],
  ['3 levels, 50 budgets per scope', { budgetsPerScope: 50 }],
  ['3 levels, 100,000 other budgets', { others: 100_000 }],
];

/** How reserve and check grow with what applies, and that they do not with what does not. */
export const growthRows = async (serverUrl: string, emit: (...rows: readonly BenchRow[]) => void): Promise<void> => {
  for (const [name, shape] of SHAPES) {
    const { reserve, checksPerSecond } = await inProcess(serverUrl, { reserves: RESERVES, ...shape });
    emit(
      { name: `reserve in process, ${name}`, value: reserve.perSecond, unit: 'reserves/s' },
      { name: `check in process, ${name}`, value: checksPerSecond, unit: 'checks/s' },
    );
  }
};
