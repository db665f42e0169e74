import type { Database } from '@bursar/database';
import type { Kysely } from 'kysely';
import {
  budgetsHeldSince,
  changedAlerts,
  changedBudgets,
  progressOf,
  type Reserved,
  reservedByPeriod,
} from '../../adapters/sql/changes.js';
import { onSnapshot } from '../../adapters/sql/snapshot.js';
import { type BudgetRow, loadStandings } from '../../adapters/sql/standings.js';
import type { LiveEvent } from '../../domain/sse.js';
import type { StreamCursor } from '../../domain/stream-cursor.js';
import { showAlertRow } from '../alert-view.js';
import { showStatus } from '../budget-view.js';
import type { Subscriber } from './subscriber.js';

/** Standings read at once. */
const PAGE = 500;

/** What one tenant's subscribers hear: read once for all of them, in one snapshot, from the tables that lists and statuses are made of. */
export class TenantFeed {
  readonly #subscribers = new Set<Subscriber>();
  #joining = 0;
  #cursor: StreamCursor | null = null;
  /** What everyone was told is held: no position says when a reservation changed a budget, so it is compared. */
  #reserved: ReadonlyMap<string, Reserved> | null = null;
  /** One reading at a time: what is older never overtakes what is newer. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly db: Kysely<Database>,
    readonly tenant: string,
    readonly partition: number,
  ) {}

  get size(): number {
    return this.#subscribers.size;
  }

  /** Nobody listens, nor is about to. */
  get isIdle(): boolean {
    return this.#subscribers.size + this.#joining === 0;
  }

  /** Begins at the present, or sends what happened since `from` first. Answers where it begins. */
  async join(subscriber: Subscriber, from: StreamCursor | null, opening: (cursor: StreamCursor) => void): Promise<void> {
    this.#joining += 1;
    try {
      await this.#inTurn(async () => {
        const { cursor, reserved, events } = await this.#read(from, null);
        opening(from ?? cursor);
        subscriber.send(events, cursor);
        // Others have yet to hear what is between their cursor and this one; this one hears it twice, which changes nothing.
        this.#cursor ??= cursor;
        this.#reserved ??= reserved;
        this.#subscribers.add(subscriber);
      });
    } finally {
      this.#joining -= 1;
    }
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** The projections have come so far: tells everyone what that changed for the tenant. */
  advance(to: Readonly<{ balances: number; alerts: number }>): Promise<void> {
    return this.#inTurn(async () => {
      const from = this.#cursor;
      if (from === null || (to.balances <= from.balances && to.alerts <= from.alerts)) return;
      const { cursor, reserved, events } = await this.#read(from, this.#reserved);
      this.#cursor = cursor;
      this.#reserved = reserved;
      for (const subscriber of this.#subscribers) subscriber.send(events, cursor);
    });
  }

  beat(): void {
    const cursor = this.#cursor;
    if (cursor !== null) for (const subscriber of this.#subscribers) subscriber.beat(cursor);
  }

  end(): void {
    for (const { out } of this.#subscribers) out.end();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Everything after `from`, nothing when it is null, and where that ends. `told`: what was held by then; null: not known. */
  #read(from: StreamCursor | null, told: ReadonlyMap<string, Reserved> | null): Promise<Reading> {
    const { tenant, partition } = this;
    return onSnapshot(this.db, partition, async (trx, moment) => {
      const progress = (await progressOf(trx, [partition])).get(partition) ?? { balances: 0, alerts: 0 };
      const cursor = { partition, ...progress };
      const reserved = await reservedByPeriod(trx, tenant);
      if (from === null) return { cursor, reserved, events: [] };
      const held = told === null ? await budgetsHeldSince(trx, tenant, from.balances) : differing(told, reserved);
      const budgets = await changedBudgets(trx, tenant, from.balances, held);
      const live = budgets.filter(({ deleted }) => !deleted);
      const events: LiveEvent[] = budgets.filter(({ deleted }) => deleted).map(gone);
      for (let page = 0; page < live.length; page += PAGE) {
        const standings = await loadStandings(trx, tenant, live.slice(page, page + PAGE), moment);
        events.push(
          ...standings.map(
            (standing): LiveEvent => ({ topic: 'balances', scope: standing.budget.scope, data: showStatus(standing, moment) }),
          ),
        );
      }
      const alerts = await changedAlerts(trx, tenant, from.alerts);
      events.push(...alerts.map((row): LiveEvent => ({ topic: 'alerts', scope: row.scope, data: showAlertRow(row, partition) })));
      return { cursor, reserved, events };
    });
  }
}

type Reading = Readonly<{ cursor: StreamCursor; reserved: ReadonlyMap<string, Reserved>; events: readonly LiveEvent[] }>;

/** Budgets of which more, less, or something else is held. */
const differing = (before: ReadonlyMap<string, Reserved>, now: ReadonlyMap<string, Reserved>): readonly string[] => {
  const keys = new Set([...before.keys(), ...now.keys()]);
  const changed = [...keys].filter((key) => before.get(key)?.reserved !== now.get(key)?.reserved);
  return changed.flatMap((key) => (now.get(key) ?? before.get(key))?.budgetId ?? []);
};

const gone = ({ budget_id, scope }: BudgetRow): LiveEvent => ({ topic: 'balances', scope, data: { budgetId: budget_id, deleted: true } });
