import {
  type EpochNs,
  type EventOf,
  formatInstant,
  type HoldGranted,
  holdGranted,
  holdReservations,
  type LedgerEvent,
  parseInstant,
  parsePicos,
} from '@bursar/contracts';
import { type Shape, UNIT } from './hold-stories.js';
import { OracleDefinitions } from './oracle-definitions.js';

/** Written anew, on purpose: what a ledger of reservations means, with one list per question and no memory of groups or sessions. */
type Held = Readonly<{ grant: HoldGranted; position: number; shares: ReadonlyMap<string, bigint> }>;
type Matter = Readonly<{ path: readonly string[]; category?: string; model?: string }>;
type Use = Readonly<{ event: EventOf<'UsageRecorded'>; matter: Matter; grant: HoldGranted | undefined; at: EpochNs }>;
type Cost = Readonly<{ amount: string; currency: string }>;
type Spend = Readonly<{ position: number; budgetId: string; period: string; amount: bigint }>;
type Status = 'held' | 'settled' | 'released' | 'expired' | 'unknown';
/** What is asked, where and when: on what was folded to `position`, at `now`. */
export type Asked = Readonly<{
  scopes: readonly string[];
  category: string | null;
  model: string | null;
  amount: bigint;
  currency: string;
  position: number;
  now: EpochNs;
}>;
type Matterless = Omit<Asked, 'scopes' | 'category' | 'model'>;
export type OracleBudget = Pick<Shape, 'scope' | 'currency' | 'kind' | 'category' | 'model'> & Readonly<{ budgetId: string }>;

export class HoldOracle {
  readonly violations: string[] = [];
  readonly #held = new Map<string, Held>();
  /** Position at which it stopped taking room. */
  readonly #ended = new Map<string, number>();
  readonly #named = new Set<string>();
  /** What became of each id, the latest last; and of usage that named one, by its position. */
  readonly #statuses: Readonly<{ position: number; id: string; status: Status }>[] = [];
  readonly flags = new Map<number, readonly string[]>();
  /** What each id was granted for. */
  readonly bodies = new Map<string, string>();
  readonly grants: HoldGranted[] = [];
  /** Grants of ids that usage had used up: they take room for whoever decides before he has folded them, and for nobody after. */
  readonly #void: Held[] = [];
  readonly #spends: Spend[] = [];
  /** Of those that usage settled, the usage that did. */
  readonly #settledBy = new Map<string, number>();
  /** Usage that waits for its price. */
  #waiting: Use[] = [];
  readonly #definitions = new OracleDefinitions();

  constructor(
    private readonly budgets: readonly OracleBudget[],
    events: readonly LedgerEvent[],
  ) {
    for (const event of events) this.#take(event);
  }

  /** Has every budget that blocks room for it, beside what was granted up to the position `granted`? */
  fits(asked: Asked, granted: number): boolean {
    return this.#counting(this.#matter(asked)).every((budget) => this.#refusal(budget, asked, granted) === null);
  }

  /** `budget period`: what is held and what is spent there at the end, where it is anything. */
  sums(position: number): Readonly<{ held: ReadonlyMap<string, bigint>; spent: ReadonlyMap<string, bigint> }> {
    const [held, spent] = [new Map<string, bigint>(), new Map<string, bigint>()];
    const add = (to: Map<string, bigint>, key: string, amount: bigint) => to.set(key, (to.get(key) ?? 0n) + amount);
    for (const { budgetId, period, amount } of this.#spends) add(spent, `${budgetId} ${period}`, amount);
    for (const budget of this.budgets) {
      for (const one of this.#open(position, position)) {
        const amount = one.shares.get(budget.budgetId);
        if (amount !== undefined) add(held, `${budget.budgetId} ${periodOf(budget, parseInstant(one.grant.grantedAt))}`, amount);
      }
    }
    return { held, spent };
  }

  /** `unknown` also where it was never heard of. */
  statusAt(id: string, position: number): Status {
    return this.#statuses.findLast((one) => one.id === id && one.position <= position)?.status ?? 'unknown';
  }

  #say(position: number, id: string, status: Status): void {
    this.#statuses.push({ position, id, status });
  }

  #refusal(budget: OracleBudget, asked: Matterless, granted: number): string | null {
    const { blocks, wanted, limit, percent, taken } = this.#stand(budget, asked, granted);
    if (!blocks) return null;
    if (limit === null) return null;
    if (wanted === null) return 'no rate';
    // spend + holds + amount ≤ limit × percent, without a division.
    return (taken + wanted) * 100n <= limit * percent ? null : `${wanted} beside ${taken} of ${limit} at ${percent} %`;
  }

  #stand(budget: OracleBudget, { amount, currency, position, now }: Matterless, granted: number) {
    const { budgetId } = budget;
    const live = this.#definitions.overrides(budgetId, position, now);
    const period = periodOf(budget, now);
    const terms = this.#definitions.terms(budgetId, position).at(-1);
    const takenIn = (wanted: string): bigint => {
      const spent = this.#spends.filter((one) => one.position <= position && one.budgetId === budgetId && one.period === wanted);
      const held = this.#open(position, granted).filter(({ grant }) => periodOf(budget, parseInstant(grant.grantedAt)) === wanted);
      return sum(spent.map(({ amount }) => amount)) + sum(held.map(({ shares }) => shares.get(budgetId) ?? 0n));
    };
    const given =
      terms?.limit == null ? null : terms.limit + this.#carried(budget, position, period, takenIn) + sum(live.map((one) => one.amount));
    return {
      blocks: terms?.blocks === true && !live.some(({ isOff }) => isOff),
      wanted: this.#definitions.convert(amount, currency, budget.currency, position),
      limit: given === null || given > 0n ? given : 0n,
      percent: terms?.percent ?? 100n,
      taken: takenIn(period),
    };
  }

  /** A story sees two periods of a budget at most: the one it was made in, and the next. What may still be spent in the first is not left over. */
  #carried({ budgetId, kind }: OracleBudget, position: number, period: string, takenIn: (period: string) => bigint): bigint {
    const all = this.#definitions.terms(budgetId, position);
    const before = all.findLast(({ from }) => periodOf({ kind }, from) < period);
    const [first] = all;
    if (before?.limit == null || first === undefined) return 0n;
    const left = before.limit - takenIn(periodOf({ kind }, first.from));
    const { rollover } = before;
    if (left > 0n) return rollover === 'unused' || rollover === 'both' ? left : 0n;
    return rollover === 'debt' || rollover === 'both' ? left : 0n;
  }

  /** What a grant says that it leaves of the budget it names as the tightest. */
  #left({ tightest }: HoldGranted, asked: Matterless, position: number): string | null {
    const budget = this.budgets.find(({ budgetId }) => budgetId === tightest?.budgetId);
    if (tightest === null || budget === undefined) return null;
    const { wanted, limit, percent, taken } = this.#stand(budget, asked, position);
    const left = (point: bigint | null) => (point === null ? null : point - taken - (wanted ?? 0n));
    const meant = [left(limit), left(limit === null ? null : (limit * percent) / 100n)];
    const said = [tightest.remaining, tightest.graceRemaining].map((text) => (text === null ? null : parsePicos(text)));
    return said.join() === meant.join() ? null : `leaves ${said.join()} and not ${meant.join()}`;
  }

  #open(position: number, granted: number): readonly Held[] {
    const isOpen = ([id, one]: [string, Held]) => one.position <= granted && !((this.#ended.get(id) ?? Infinity) <= position);
    const unseen = this.#void.filter((one) => one.position > position && one.position <= granted);
    return [...[...this.#held].filter(isOpen).map(([, one]) => one), ...unseen];
  }

  #take(event: LedgerEvent): void {
    this.#definitions.take(event);
    switch (event.type) {
      case 'UsageRecorded':
        this.#use(event);
        return;
      case 'HoldsChanged':
        this.#change(event);
        return;
      case 'PriceListCreated':
        for (const use of this.#waiting.splice(0)) this.#price(use, event.position);
        return;
      default:
    }
  }

  /** Usage that names a hold is charged as that: on its path, in its period, at its rate; of category and model what it says itself stands. */
  #use(event: EventOf<'UsageRecorded'>): void {
    const { position, data } = event;
    const { reservationId, cost } = data;
    const grant = reservationId === undefined ? undefined : this.#held.get(reservationId)?.grant;
    const own = this.#matter({ scopes: data.scopes, category: data.category ?? null, model: data.dimensions?.model ?? null, position });
    const matter = grant === undefined ? own : { ...matterOf(grant), ...own, path: grant.path };
    const use = { event, matter, grant, at: parseInstant(grant?.grantedAt ?? data.occurredAt) };
    if (cost === undefined) this.#waiting.push(use);
    else this.#spend(use, cost, position);
    if (reservationId === undefined) return;
    if (grant !== undefined && !this.#named.has(reservationId)) this.#settledBy.set(reservationId, position);
    this.#flag(use, cost ?? null);
    this.#named.add(reservationId);
    this.#say(position, reservationId, grant === undefined ? 'unknown' : 'settled');
    // What waits is not spent yet: until then it is held.
    if (cost !== undefined) this.#end(use, position);
  }

  /** One dollar for each, in the period in which it was used, from the position of the price on. */
  #price(use: Use, position: number): void {
    const cost = { amount: use.event.data.quantities?.[UNIT] ?? '0', currency: 'USD' };
    this.#spend(use, cost, position);
    if (use.event.data.reservationId === undefined) return;
    if (!this.flags.get(use.event.position)?.includes('SettledTwice')) this.#flag(use, cost);
    this.#end(use, position);
  }

  #spend({ matter, grant, at }: Use, { amount, currency }: Cost, position: number): void {
    for (const budget of this.#counting(matter)) {
      const share = this.#definitions.convert(parsePicos(amount), currency, budget.currency, grant?.decidedAt ?? position);
      if (share !== null) this.#spends.push({ position, budgetId: budget.budgetId, period: periodOf(budget, at), amount: share });
    }
  }

  #end({ event, grant }: Use, position: number): void {
    const id = event.data.reservationId ?? '';
    if (grant !== undefined && this.#settledBy.get(id) === event.position && !this.#ended.has(id)) this.#ended.set(id, position);
  }

  /** RELIABILITY F26–F28. The first usage that names a hold settles it, whatever became of it before. */
  #flag({ event: { position, recordedAt, data }, grant }: Use, cost: Cost | null): void {
    const flags: string[] = [];
    const id = data.reservationId ?? '';
    if (grant === undefined) flags.push('UnknownReservation');
    else if (this.#settledBy.get(id) !== position) flags.push('SettledTwice');
    else {
      if (this.statusAt(id, position - 1) === 'released') flags.push('SettledAfterRelease');
      else if (parseInstant(recordedAt) >= parseInstant(grant.expiresAt)) flags.push('SettledAfterExpiry');
      const actual =
        cost === null ? null : this.#definitions.convert(parsePicos(cost.amount), cost.currency, grant.currency, grant.decidedAt);
      if (actual !== null && actual > parsePicos(grant.amount)) flags.push('SettledOverReservation');
    }
    this.flags.set(position, flags);
  }

  #change({ position, recordedAt, data }: EventOf<'HoldsChanged'>): void {
    for (const change of data.changes) {
      if (change.change === 'granted') {
        for (const one of holdReservations(change)) this.#grant(holdGranted(change.tenant, change.terms, one), position);
        continue;
      }
      const { reservationId } = change;
      const one = this.#held.get(reservationId);
      const isEarly = change.change === 'expired' && one !== undefined && parseInstant(recordedAt) < parseInstant(one.grant.expiresAt);
      const isSettled = this.#settledBy.has(reservationId);
      if (one === undefined || isEarly || this.#ended.has(reservationId) || (isSettled && change.change === 'released')) continue;
      this.#ended.set(reservationId, position);
      if (!isSettled) this.#say(position, reservationId, change.change);
    }
  }

  #grant(grant: HoldGranted, position: number): void {
    const { reservationId, currency, decidedAt } = grant;
    this.grants.push(grant);
    if (this.#held.has(reservationId)) this.violations.push(`${reservationId} granted twice`);
    const asked = { amount: parsePicos(grant.amount), currency, position: decidedAt, now: parseInstant(grant.grantedAt) };
    const shares = new Map<string, bigint>();
    for (const budget of this.#counting(matterOf(grant))) {
      const refusal = this.#refusal(budget, asked, position);
      if (refusal !== null) this.violations.push(`${reservationId} past ${budget.budgetId}: ${refusal}`);
      const share = this.#definitions.convert(asked.amount, currency, budget.currency, decidedAt);
      if (share !== null) shares.set(budget.budgetId, share);
    }
    const left = this.#left(grant, asked, position);
    if (left !== null) this.violations.push(`${reservationId} ${left}`);
    const said = grant.budgets.map(({ budgetId, amount }) => `${budgetId} ${parsePicos(amount)}`).sort();
    const meant = [...shares].map(([budgetId, amount]) => `${budgetId} ${amount}`).sort();
    if (said.join() !== meant.join()) this.violations.push(`${reservationId} holds ${said.join()} and not ${meant.join()}`);
    // Usage that named it first has used the id up: the grant is nothing, and usage that names it later is charged where it says itself.
    if (this.#named.has(reservationId)) this.#void.push({ grant, position, shares });
    else {
      this.#held.set(reservationId, { grant, position, shares });
      this.#say(position, reservationId, 'held');
      this.bodies.set(reservationId, grant.bodyHash);
    }
  }

  #counting({ path, category, model }: Matter): readonly OracleBudget[] {
    return this.budgets.filter(
      (budget) =>
        path.includes(budget.scope) &&
        (budget.category === null || budget.category === category) &&
        (budget.model === null ||
          (budget.model.endsWith('*') ? model?.startsWith(budget.model.slice(0, -1)) === true : budget.model === model)),
    );
  }

  #matter({ scopes, category, model, position }: Pick<Asked, 'scopes' | 'category' | 'model' | 'position'>): Matter {
    return { path: this.#definitions.path(scopes, position), ...(category !== null && { category }), ...(model !== null && { model }) };
  }
}

const matterOf = ({ path, category, dimensions }: HoldGranted): Matter => ({
  path,
  ...(category !== undefined && { category }),
  ...(dimensions?.model !== undefined && { model: dimensions.model }),
});

/** Day or month, UTC. */
export const periodOf = ({ kind }: Pick<OracleBudget, 'kind'>, at: EpochNs): string =>
  formatInstant(at).slice(0, kind === 'daily' ? 10 : 7);

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
