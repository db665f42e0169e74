import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { Checkpoints } from '../adapters/sql/checkpoints.js';
import { isHeld } from '../adapters/sql/holds.js';
import { Moments } from '../adapters/store/moments.js';
import { Rejection } from '../domain/rejection.js';

const MAX_WAIT_MS = 3_000;

/** Some things are not done to a budget while reservations are open on it. */
@Injectable()
export class Unheld {
  constructor(
    private readonly moments: Moments,
    private readonly checkpoints: Checkpoints,
    private readonly db: Kysely<Database>,
  ) {}

  /** Throws 409 `in_use` while something is held on the budget, 503 while that is not known. */
  async require(tenant: string, budgetId: string): Promise<void> {
    // What was granted a moment ago is in the store, and perhaps not folded yet.
    const { partition, position } = await this.moments.head(tenant);
    if (!(await this.checkpoints.passed('budget', partition, position, MAX_WAIT_MS)))
      throw new Problem('overloaded', 'What is held on the budget is not known yet.', { retryAfter: 1 });
    if (await isHeld(this.db, tenant, budgetId))
      throw new Rejection('in_use', 'The budget has open reservations; release them or let them expire.');
  }
}
