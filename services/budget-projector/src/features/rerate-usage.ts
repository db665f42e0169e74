import { type CorrectedAt, reratedBy, standing, takesEffect } from '@bursar/contracts/folds';
import type { PriceCorrection } from '../domain/changes.js';
import type { Emitted } from '../domain/emitted.js';
import { correctionApplied, type RecordedUsage, usageRerated } from '../domain/rerated.js';
import type { TenantHistory } from '../domain/tenant-history.js';
import { HoldsNamed } from './holds-named.js';
import { KickedLoop } from './kicked-loop.js';
import { isUnreadable, type Ledger } from './ledger.js';
import type { ProjectionTables } from './projection-tables.js';
import type { TenantHistories } from './tenant-histories.js';
import { usagePages } from './usage-pages.js';

/** Of one append: a range of them still fits a few bus messages, and others get their turn between two. */
const MOST_EVENTS = 250;
const MOST_TEXT = 256 * 1024;

/**
 * Rerates the usage that corrections of prices change, beside the loop, and says at the end that it is done. What each usage comes to
 * follows from the ledger before the correction alone, so whoever begins again, after a crash or a take-over, says the same under the same
 * ids. Corrections of a tenant are taken one after another, in order.
 */
export class UsageRerater {
  /** Applied already; the loop has not folded that yet. */
  readonly #applied = new Set<string>();
  readonly #loop = new KickedLoop((signal) => this.applyAll(signal));

  constructor(
    private readonly tables: ProjectionTables,
    private readonly ledger: Ledger,
    private readonly histories: TenantHistories,
    private readonly partition: number,
    private readonly isOurs: (tenant: string) => boolean,
  ) {}

  /** Prices may have been corrected. */
  kick(): void {
    this.#loop.kick();
  }

  /** Until the signal aborts. Rejects when the store or the tables fail. */
  run(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal);
  }

  /** All that wait to be applied. */
  async applyAll(signal: AbortSignal): Promise<void> {
    for (const correction of await this.tables.priceCorrections()) {
      if (signal.aborted) return;
      if (this.isOurs(correction.tenant) && !this.#applied.has(correction.correctionId)) await this.#apply(correction, signal);
    }
  }

  async #apply(correction: PriceCorrection, signal: AbortSignal): Promise<void> {
    const { tenant, position: first, correctionId } = correction;
    const history = await this.histories.get(tenant);
    const [last] = history.arrivals.prices(first - 1, Number.POSITIVE_INFINITY);
    if (last === undefined) return; // its last part is not folded yet, and will kick
    const at = { first, last };
    let rerated = 0;
    for await (const page of this.#usageBefore(tenant, first)) {
      const events = await this.#rerate(history, page, correction, at);
      for (const unit of units(events)) {
        if (signal.aborted) return;
        await this.ledger.append(this.partition, unit[0]?.stream ?? '', unit);
      }
      rerated += events.length;
      if (signal.aborted) return;
    }
    const done = correctionApplied(correction, rerated);
    await this.ledger.append(this.partition, done.stream, [done]);
    this.#applied.add(correctionId);
  }

  async *#usageBefore(tenant: string, position: number): AsyncGenerator<readonly RecordedUsage[]> {
    for await (const items of usagePages(this.ledger, tenant)) {
      // What cannot be read is set aside by the loop, and charged nothing.
      yield items.flatMap((item) => (!isUnreadable(item) && item.type === 'UsageRecorded' && item.position < position ? [item] : []));
      if ((items.at(-1)?.position ?? 0) >= position) return;
    }
  }

  /** What was voided or adjusted before the correction is left alone; what is afterwards, the fold leaves alone. */
  async #rerate(
    history: TenantHistory,
    usages: readonly RecordedUsage[],
    correction: PriceCorrection,
    at: CorrectedAt,
  ): Promise<readonly Emitted[]> {
    const { tenant, definitions, arrivals } = history;
    const named = await HoldsNamed.of(this.tables, tenant, usages);
    const changed = usages.flatMap((usage) => {
      named.tell(history, usage);
      const rerating = reratedBy(usage, definitions, arrivals, at);
      return rerating === null ? [] : [{ usage, rerating }];
    });
    if (changed.length === 0) return [];
    const said = await this.tables.corrections(
      tenant,
      changed.map(({ usage }) => usage.position),
    );
    return changed.flatMap(({ usage, rerating }) => {
      const before = standing(said.get(usage.position) ?? [], at.first - 1);
      return takesEffect(before, { stated: false }) ? [usageRerated(correction, usage, rerating)] : [];
    });
  }
}

/** In order, each small enough for one append. */
const units = (events: readonly Emitted[]): readonly (readonly Emitted[])[] => {
  const all: Emitted[][] = [];
  let [unit, text]: [Emitted[], number] = [[], 0];
  for (const event of events) {
    if (unit.length === MOST_EVENTS || (unit.length > 0 && text + event.data.length > MOST_TEXT)) {
      all.push(unit);
      [unit, text] = [[], 0];
    }
    unit.push(event);
    text += event.data.length;
  }
  return unit.length === 0 ? all : [...all, unit];
};
