import type { Database } from '@bursar/database';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { allBudgets } from '../adapters/sql/budgets.js';
import { toCells } from '../domain/budget-csv.js';
import type { Answer } from './answer.js';
import { writeCsv } from './budget-lines.js';

/** GET /budgets/export.csv: definitions, oldest first, in the shape that POST /budgets/import reads. */
@Injectable()
export class ExportBudgets {
  constructor(private readonly db: Kysely<Database>) {}

  async execute(tenant: string): Promise<Answer> {
    const rows = await allBudgets(this.db, tenant);
    const headers = { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': 'attachment; filename="budgets.csv"' };
    return { status: 200, body: writeCsv(rows.map((row) => toCells(row.budget_id, row.definition))), headers };
  }
}
