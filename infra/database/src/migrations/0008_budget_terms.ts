import { type Kysely, sql } from 'kysely';

/** Limit and rollover as they were from instant to instant, as contracts' `Terms`: what is carried into a period is computed from them. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE projection.budget ADD COLUMN terms jsonb NOT NULL DEFAULT '[]'`.execute(db);
};
