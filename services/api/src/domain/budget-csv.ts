import type { BudgetDefinition } from '@bursar/contracts';

/** Said, not left out: a limit that was forgotten must not mean that there is none. */
const UNLIMITED = 'unlimited';

/** In the order of the export. Lists and dictionaries are JSON in their cell; an empty cell is a field left at its default. */
export const COLUMNS = [
  'id',
  'name',
  'description',
  'scope',
  'members',
  'category',
  'dimensions',
  'limit',
  'currency',
  'period',
  'timezone',
  'anchor',
  'length',
  'start',
  'end',
  'recurring',
  'thresholds',
  'levels',
  'mode',
  'blockAtPercent',
  'autoPause',
  'rollover',
  'rolloverCap',
  'permissions',
  'validFrom',
  'validUntil',
  'metadata',
] as const;
export type Column = (typeof COLUMNS)[number];
export type Cells = Readonly<Partial<Record<Column, string>>>;
export const isColumn = (name: string): name is Column => (COLUMNS as readonly string[]).includes(name);

/** A cell that is to be JSON and is not. */
export class CellError extends Error {
  override readonly name = 'CellError';
  constructor(readonly column: Column) {
    super(`The cell ${column} is not JSON`);
  }
}

/** A budget as a line: amounts are plain numbers, and no text begins what a spreadsheet would run (RELIABILITY IN-C12). */
export const toCells = (budgetId: string, definition: BudgetDefinition): Record<Column, string> => {
  const { period, filter, levels, limit, enforcement, rollover, permissions } = definition;
  const { yellow = null, orange = null, red = null } = levels;
  return {
    id: guarded(budgetId),
    name: guarded(definition.name),
    description: guarded(definition.description ?? ''),
    scope: guarded(definition.scope),
    members: json(definition.members),
    category: guarded(filter?.category ?? ''),
    dimensions: json(filter?.dimensions),
    limit: limit.amount ?? UNLIMITED,
    currency: limit.currency,
    period: period.kind,
    timezone: guarded(period.timezone),
    anchor: period.anchor ?? '',
    length: period.length ?? '',
    start: period.start ?? '',
    end: period.end ?? '',
    recurring: String(period.recurring),
    thresholds: json(definition.thresholds),
    levels: json({ yellow, orange, red }),
    mode: enforcement.mode,
    blockAtPercent: String(enforcement.blockAtPercent),
    autoPause: String(enforcement.autoPause),
    rollover: rollover.mode,
    rolloverCap: rollover.cap ?? '',
    permissions: json(permissions),
    validFrom: definition.validFrom ?? '',
    validUntil: definition.validUntil ?? '',
    metadata: Object.keys(definition.metadata).length === 0 ? '' : json(definition.metadata),
  };
};

/** The body of a request that the line stands for, for the schema to judge. Throws {@link CellError}. */
export const toBody = (cells: Cells): Record<string, unknown> => {
  const text = (column: Column): string | undefined => {
    const cell = unguarded(cells[column] ?? '');
    return cell === '' ? undefined : cell;
  };
  const flag = (column: Column): unknown => (text(column) === 'true' ? true : text(column) === 'false' ? false : text(column));
  const parsed = (column: Column): unknown => {
    const cell = text(column);
    try {
      return cell === undefined ? undefined : (JSON.parse(cell) as unknown);
    } catch {
      throw new CellError(column);
    }
  };
  const percent = text('blockAtPercent');
  return present({
    name: text('name'),
    description: text('description'),
    scope: text('scope'),
    members: parsed('members'),
    filter: present({ category: text('category'), dimensions: parsed('dimensions') }),
    limit: present({ amount: text('limit') === UNLIMITED ? null : text('limit'), currency: text('currency') }),
    period: present({
      kind: text('period'),
      timezone: text('timezone'),
      anchor: text('anchor'),
      length: text('length'),
      start: text('start'),
      end: text('end'),
      recurring: flag('recurring'),
    }),
    thresholds: parsed('thresholds'),
    levels: parsed('levels'),
    enforcement: present({
      mode: text('mode'),
      blockAtPercent: percent !== undefined && /^[0-9]{1,3}(\.[0-9]{1,9})?$/.test(percent) ? Number(percent) : percent,
      autoPause: flag('autoPause'),
    }),
    rollover: present({ mode: text('rollover'), cap: text('rolloverCap') }),
    permissions: parsed('permissions'),
    validFrom: text('validFrom'),
    validUntil: text('validUntil'),
    metadata: parsed('metadata'),
  });
};

/** What a spreadsheet takes for a formula, also behind quotes of ours: so that taking one away gives back what was there. */
const FORMULA = /^'*[=+\-@\t\r\0\uFF1D\uFF0B\uFF0D\uFF20]/;
const guarded = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
const unguarded = (cell: string): string => (cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell);

const json = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value));
const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
