import { z } from 'zod';
import { formatInstant, readInstant } from '../../values/instant.js';
import { Complaint, type Reading } from './complaint.js';
import { type Field, field } from './field.js';
import { scopeRef } from './scope.js';
import { readPlainText } from './text.js';

/** A place in the ledger: `<partition>:<position>`. */
export type LedgerPosition = Readonly<{ partition: number; position: number }>;

const POSITION = /^(0|[1-9][0-9]{0,4}):(0|[1-9][0-9]{0,15})$/;

export const readPosition = (value: unknown): Reading<LedgerPosition> => {
  const match = typeof value === 'string' ? POSITION.exec(value) : null;
  if (match === null) return new Complaint('position_format', 'Expected <partition>:<position>');
  const position = { partition: Number(match[1]), position: Number(match[2]) };
  return Number.isSafeInteger(position.position) ? position : new Complaint('position_format', 'Expected <partition>:<position>');
};

/** Wait (`Prefer: wait=N`) until the projection has folded this far. */
export const minPosition = field({ type: 'string', pattern: POSITION.source, examples: ['3:1042'] }, readPosition).optional();

/** A past moment, by the clock or by the ledger. */
export type AsOf = Readonly<{ kind: 'instant'; at: string } | ({ kind: 'position' } & LedgerPosition)>;
export const asOf: Field<AsOf> = field({ type: 'string', description: 'An instant, or <partition>:<position>' }, (value): Reading<AsOf> => {
  const position = readPosition(value);
  if (!(position instanceof Complaint)) return { kind: 'position', ...position };
  const at = readInstant(value);
  return typeof at === 'bigint' ? { kind: 'instant', at: formatInstant(at) } : new Complaint(at);
});

/** A whole number written in a query. */
export const queryNumber = (min: number, max: number): Field<number> =>
  field({ type: 'integer', minimum: min, maximum: max }, (value) => {
    if (typeof value !== 'string' || !/^-?(?:0|[1-9][0-9]{0,14})$/.test(value)) return new Complaint('not_an_integer');
    const number = Number(value);
    if (number > max) return new Complaint('too_large', `More than ${max}`);
    return number < min ? new Complaint('too_small', `Less than ${min}`) : number;
  });

export const queryFlag: Field<boolean> = field({ type: 'boolean' }, (value) =>
  value === 'true' || value === 'false' ? value === 'true' : new Complaint('not_allowed', 'Expected true or false'),
);

const CURSOR = /^[A-Za-z0-9_-]{1,1024}$/;

/** What every list takes. The cursor is opaque: the one of the answer before. */
export const page = {
  limit: queryNumber(1, 200).default(50),
  cursor: field({ type: 'string', description: 'nextCursor of the page before' }, (value) =>
    typeof value === 'string' && CURSOR.test(value) ? value : new Complaint('cursor'),
  ).optional(),
  minPosition,
};

/** The query of a read that is no list. */
export const ReadQuery = z.strictObject({ minPosition });
/** `GET /me/budget`: for one scope, where the key does not say whose it is. */
export const MyBudgetQuery = z.strictObject({ scope: scopeRef.optional(), minPosition });
/** The query of a call that takes none: anything in it is refused by name. */
export const NoQuery = z.strictObject({});

export const queryText = (max: number): Field<string> =>
  field({ type: 'string', minLength: 1, maxLength: max }, (value) => readPlainText(value, max));
