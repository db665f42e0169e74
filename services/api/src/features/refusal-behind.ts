import { setTimeout as delay } from 'node:timers/promises';
import { type LedgerEvent, refusalEventId } from '@bursar/contracts';
import { Injectable } from '@nestjs/common';
import { Checkpoints } from '../adapters/sql/checkpoints.js';
import { FoundEvents } from '../adapters/store/found-events.js';
import { Moments } from '../adapters/store/moments.js';

/** A store that takes anything takes a refusal within milliseconds of its answer. */
const BEHIND_MS = 2_000;
const LOOK_EVERY_MS = 50;

/** The id that an answer gave a refusal is random; events have derived ids, and reservations that nobody named ids in order of time. */
const GIVEN = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Refusals are written behind their answers: whoever asks about his at once is ahead of it, and has no position to wait for. */
@Injectable()
export class RefusalBehind {
  constructor(
    private readonly found: FoundEvents,
    private readonly moments: Moments,
    private readonly checkpoints: Checkpoints,
  ) {}

  /**
   * The refusal that an answer gave this id, as soon as the ledger has it; null: it has not come within 2 s, or none has such an id. `head`: where the
   * ledger ended before it was looked for.
   */
  async comes(tenant: string, decisionId: string, head: Readonly<{ partition: number; position: number }>): Promise<LedgerEvent | null> {
    if (!GIVEN.test(decisionId)) return null;
    const until = performance.now() + BEHIND_MS;
    let seen = head;
    while (performance.now() < until) {
      const left = until - performance.now();
      await Promise.all([delay(LOOK_EVERY_MS), this.checkpoints.passed('budget', seen.partition, seen.position + 1, left)]);
      seen = await this.moments.head(tenant);
      const event = await this.found.byId(tenant, refusalEventId(tenant, decisionId));
      if (event !== null) return event;
    }
    return null;
  }
}
