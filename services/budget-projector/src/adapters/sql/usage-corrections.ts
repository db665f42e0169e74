import { formatPicos } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { Corrected } from '../../domain/changes.js';
import type { CommitBatch } from '../../features/batches.js';
import { column } from './columns.js';

type Session = Kysely<Database>;

/** Each is written once, whoever folds it again. */
export const writeCorrections = async (db: Session, rows: readonly Corrected[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO projection.usage_correction (tenant, position, corrected_at, amount, currency, stated)
    SELECT * FROM unnest(
      ${column(rows, 'text', (row) => row.tenant)},
      ${column(rows, 'bigint', (row) => row.position)},
      ${column(rows, 'bigint', ({ correction }) => correction.at)},
      ${column(rows, 'numeric', ({ correction: { cost } }) => (cost === null ? null : formatPicos(cost.picos)))},
      ${column(rows, 'text', ({ correction: { cost } }) => cost?.currency ?? null)},
      ${column(rows, 'boolean', ({ correction }) => correction.stated)})
    ON CONFLICT (tenant, position, corrected_at) DO NOTHING`.execute(db);
};

/** Corrections of prices that begin, then those that are through: both may be in one commit. */
export const writePriceCorrections = async (
  db: Session,
  { pricesCorrected, pricesApplied }: Pick<CommitBatch, 'pricesCorrected' | 'pricesApplied'>,
): Promise<void> => {
  if (pricesCorrected.length > 0) {
    await sql`
      INSERT INTO projection.price_correction (tenant, correction_id, list_id, position)
      SELECT * FROM unnest(
        ${column(pricesCorrected, 'text', (row) => row.tenant)},
        ${column(pricesCorrected, 'text', (row) => row.correctionId)},
        ${column(pricesCorrected, 'text', (row) => row.listId)},
        ${column(pricesCorrected, 'bigint', (row) => row.position)})
      ON CONFLICT (tenant, correction_id) DO NOTHING`.execute(db);
  }
  if (pricesApplied.length === 0) return;
  await sql`
    DELETE FROM projection.price_correction c USING unnest(
      ${column(pricesApplied, 'text', (row) => row.tenant)},
      ${column(pricesApplied, 'text', (row) => row.correctionId)}) AS u (tenant, correction_id)
    WHERE c.tenant = u.tenant AND c.correction_id = u.correction_id`.execute(db);
};
