import { type EventOf, type LedgerEvent, parseInstant, parsePicos } from '@bursar/contracts';

/** Written anew, on purpose: what a ledger of reservations means, with one map per question and no memory of groups or sessions. */
type Granted = Readonly<{ position: number; amount: bigint; path: readonly string[]; expiresAt: bigint; decidedAt: number }>;

export type OracleBudget = Readonly<{ budgetId: string; scope: string; blocks: boolean }>;

export class HoldOracle {
  readonly violations: string[] = [];
  readonly #granted = new Map<string, Granted>();
  /** Position at which it stopped taking room. */
  readonly #ended = new Map<string, number>();
  readonly #named = new Set<string>();
  /** Grants of ids that usage had used up: they take room for whoever decides before he has folded them, and for nobody after. */
  readonly #void: Pick<Granted, 'position' | 'path' | 'amount'>[] = [];
  readonly #spends: { position: number; path: readonly string[]; amount: bigint }[] = [];
  readonly #limits = new Map<string, { position: number; limit: bigint }[]>();
  readonly #overrides: { position: number; budgetId: string; amount: bigint; expiresAt: bigint }[] = [];

  constructor(
    private readonly budgets: readonly OracleBudget[],
    events: readonly LedgerEvent[],
  ) {
    for (const event of events) this.#take(event);
  }

  /** What a budget may still hold at a position and moment, by grants before `granted` (a position) and ends up to `position`. */
  room({ budgetId, scope }: OracleBudget, position: number, now: bigint, granted: number): bigint {
    const limit = this.#limits.get(budgetId)?.findLast((one) => one.position <= position)?.limit ?? 0n;
    const more = this.#overrides.filter((one) => one.budgetId === budgetId && one.position <= position && one.expiresAt > now);
    return more.reduce((sum, one) => sum + one.amount, limit) - this.spend(scope, position) - this.held(scope, position, granted);
  }

  spend(scope: string, position: number): bigint {
    return sum(this.#spends.filter((one) => one.position <= position && one.path.includes(scope)).map(({ amount }) => amount));
  }

  held(scope: string, position: number, granted: number): bigint {
    const open = [...this.#granted].filter(
      ([id, one]) => one.position <= granted && one.path.includes(scope) && !((this.#ended.get(id) ?? Infinity) <= position),
    );
    const unseen = this.#void.filter((one) => one.position > position && one.position <= granted && one.path.includes(scope));
    return sum([...open.map(([, one]) => one), ...unseen].map(({ amount }) => amount));
  }

  #take(event: LedgerEvent): void {
    const { position } = event;
    switch (event.type) {
      case 'BudgetCreated':
      case 'BudgetChanged': {
        const { budgetId, definition } = event.data;
        this.#limits.set(budgetId, [
          ...(this.#limits.get(budgetId) ?? []),
          { position, limit: parsePicos(definition.limit.amount ?? '0') },
        ]);
        return;
      }
      case 'OverrideGranted': {
        const { budgetId, amount, expiresAt } = event.data;
        this.#overrides.push({ position, budgetId, amount: parsePicos(amount?.amount ?? '0'), expiresAt: parseInstant(expiresAt) });
        return;
      }
      case 'UsageRecorded':
        this.#use(event);
        return;
      case 'HoldsChanged':
        this.#change(event);
        return;
      default:
    }
  }

  #use({ position, data }: EventOf<'UsageRecorded'>): void {
    const { reservationId } = data;
    const hold = reservationId === undefined ? undefined : this.#granted.get(reservationId);
    const [scope = ''] = data.scopes;
    this.#spends.push({ position, path: hold?.path ?? pathOf(scope), amount: parsePicos(data.cost?.amount ?? '0') });
    if (reservationId === undefined) return;
    this.#named.add(reservationId);
    if (hold !== undefined && !this.#ended.has(reservationId)) this.#ended.set(reservationId, position);
  }

  #change({ position, recordedAt, data }: EventOf<'HoldsChanged'>): void {
    for (const change of data.changes) {
      const { reservationId } = change;
      if (change.change !== 'granted') {
        const hold = this.#granted.get(reservationId);
        const early = change.change === 'expired' && hold !== undefined && parseInstant(recordedAt) < hold.expiresAt;
        if (hold !== undefined && !early && !this.#ended.has(reservationId)) this.#ended.set(reservationId, position);
        continue;
      }
      if (this.#granted.has(reservationId)) this.violations.push(`${reservationId} granted twice`);
      const amount = parsePicos(change.amount);
      const now = parseInstant(change.grantedAt);
      for (const budget of this.budgets) {
        if (!budget.blocks || !change.path.includes(budget.scope)) continue;
        const room = this.room(budget, change.decidedAt, now, position);
        if (amount > room) this.violations.push(`${reservationId}: ${amount} into a room of ${room} in ${budget.budgetId}`);
      }
      // Usage that named it first has used the id up: the grant is nothing, and usage that names it later is charged where it says itself.
      const { path, expiresAt, decidedAt } = change;
      if (this.#named.has(reservationId)) {
        this.#void.push({ position, path, amount });
        continue;
      }
      const granted = { position, amount, path, expiresAt: parseInstant(expiresAt), decidedAt };
      this.#granted.set(reservationId, granted);
    }
  }
}

/** The tree of the test: two users in a team. */
export const pathOf = (scope: string): readonly string[] => (scope.startsWith('user:') ? [scope, 'team:0'] : [scope]);

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
