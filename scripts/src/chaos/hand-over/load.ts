import { setTimeout as delay } from 'node:timers/promises';
import { formatPicos, parsePicos } from '@bursar/contracts';
import { z } from 'zod';
import type { Caller } from './caller.ts';
import { Random } from './random.ts';
import { type Tenant, USERS } from './tenants.ts';

const SOURCE = 'chaos';
const MOST_IN_BATCH = 20;
const UNIT = 10n ** 12n;

export type Sent = Readonly<{ id: string; picos: bigint; state: 'acknowledged' | 'unknown' }>;
/** What a client knows at the end: the whole of it must be in the ledger, and nothing else. */
export type History = Readonly<{
  tenant: string;
  usage: Sent[];
  /** Amounts of acknowledged edits of a limit, each unlike any other. */
  limits: string[];
  /** What should never have been answered. */
  violations: string[];
  statuses: number;
}>;

const Results = z.object({ results: z.array(z.object({ id: z.string(), status: z.string() })) });
const Status = z.object({
  budgetId: z.string(),
  currentSpend: z.string(),
  limit: z.string(),
  activeAlerts: z.array(z.object({ percent: z.number() })),
});

/** One client of one tenant: usage in batches, now and then a batch again, an edit of a limit, a look at a status. */
export class Load {
  readonly history: History;
  readonly #random: Random;
  #batches = 0;
  #spent = 0n;

  readonly #caller: Caller;
  readonly #tenant: Tenant;
  readonly #percents: readonly number[];
  readonly #perSecond: number;

  constructor(caller: Caller, tenant: Tenant, percents: readonly number[], seed: number, perSecond: number) {
    this.#caller = caller;
    this.#tenant = tenant;
    this.#percents = percents;
    this.#perSecond = perSecond;
    this.#random = new Random(seed, `load ${tenant.name}`);
    this.history = { tenant: tenant.name, usage: [], limits: [], violations: [], statuses: 0 };
  }

  async run(signal: AbortSignal): Promise<History> {
    let statuses = 0;
    while (!signal.aborted) {
      const size = this.#random.whole(1, MOST_IN_BATCH);
      const due = performance.now() + (size / this.#perSecond) * 1_000;
      await this.#record(size);
      if (this.#random.chance(0.08)) await this.#editLimit();
      if (this.#random.chance(0.15)) statuses += await this.#look();
      await delay(Math.max(0, due - performance.now()), undefined, { signal }).catch(() => undefined);
    }
    return { ...this.history, statuses };
  }

  async #record(size: number): Promise<void> {
    this.#batches += 1;
    const events = Array.from({ length: size }, (_, index) => this.#event(`${this.#batches}.${index}`));
    const body = { events: events.map(({ event }) => event) };
    const expected = await this.#send(body, ['accepted', 'duplicate']);
    for (const { event, picos } of events) this.history.usage.push({ id: event.id, picos, state: expected });
    this.#spent += events.reduce((sum, { picos }) => sum + picos, 0n);
    if (expected === 'acknowledged' && this.#random.chance(0.05)) await this.#send(body, ['duplicate']);
  }

  async #send(body: { events: readonly { id: string }[] }, allowed: readonly string[]): Promise<Sent['state']> {
    const reply = await this.#caller.call(this.#tenant.name, 'POST', '/usage', body);
    if (reply === null) return 'unknown';
    const parsed = Results.safeParse(reply.body);
    const asExpected =
      reply.status === 202 &&
      parsed.success &&
      parsed.data.results.length === body.events.length &&
      parsed.data.results.every(({ status }) => allowed.includes(status));
    if (!asExpected) this.#complain(`usage answered ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}`);
    return 'acknowledged';
  }

  #event(id: string) {
    const picos = this.#random.chance(0.1) ? BigInt(this.#random.whole(0, 999)) : BigInt(Math.floor(this.#random.next() * 2e12));
    const event = {
      id,
      source: SOURCE,
      scopes: [`user:${this.#random.whole(0, USERS - 1)}`],
      cost: { amount: formatPicos(picos), currency: 'USD' },
    };
    return { event, picos };
  }

  /** To something near what is spent, so that thresholds are crossed and cleared. */
  async #editLimit(): Promise<void> {
    const budget = this.#random.pick(this.#tenant.budgets);
    const unlike = BigInt(this.history.limits.length + 1);
    const amount = formatPicos((this.#spent * BigInt(this.#random.whole(10, 200))) / 100n + UNIT + unlike);
    const reply = await this.#caller.call(this.#tenant.name, 'PATCH', `/budgets/${budget}`, { limit: { amount, currency: 'USD' } });
    if (reply === null) return;
    if (reply.status === 200) this.history.limits.push(amount);
    else this.#complain(`an edit was answered ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}`);
  }

  /** Spend, limit and alerts of one answer belong to one moment: an alert stands for each threshold that is reached, and for no other. */
  async #look(): Promise<number> {
    const budget = this.#random.pick(this.#tenant.budgets);
    const reply = await this.#caller.call(this.#tenant.name, 'GET', `/budgets/${budget}/status`);
    if (reply === null) return 0;
    const parsed = Status.safeParse(reply.body);
    if (!parsed.success) {
      this.#complain(`a status was answered ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}`);
      return 0;
    }
    const { currentSpend, limit, activeAlerts } = parsed.data;
    const [spend, most] = [parsePicos(currentSpend), parsePicos(limit)];
    const reached = this.#percents.filter((percent) => spend * 100n >= BigInt(percent) * most);
    const shown = activeAlerts.map(({ percent }) => percent).sort((a, b) => a - b);
    if (reached.join() !== shown.join()) {
      this.#complain(
        `spend ${currentSpend} of ${limit} is shown with alerts at ${shown.join(', ') || 'nothing'}, not ${reached.join(', ')}`,
      );
    }
    return 1;
  }

  #complain(text: string): void {
    this.history.violations.push(`${this.#tenant.name}: ${text}`);
  }
}
