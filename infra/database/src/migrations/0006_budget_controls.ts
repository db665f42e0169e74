import { type Kysely, sql } from 'kysely';

/** Pause and overrides beside the definition, as contracts' `BudgetControls`: what a status needs of them is in the one row. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE projection.budget ADD COLUMN controls jsonb NOT NULL DEFAULT '{"pause": null, "overrides": []}';
  `.execute(db);
};
