import { type AlertRaisedData, parsePicos } from '@bursar/contracts';
import { fixedTwo } from '@bursar/contracts/folds';
import type { Database } from '@bursar/database';
import { type Kysely, sql } from 'kysely';
import type { Driver } from '../../domain/messages/values.js';

const SHOWN = 3;
/** Alerts of one budget come in bursts, and their messages may say the same. */
const KEPT_MS = 30_000;
const MAX_KEPT = 1_000;

type Kept = Readonly<{ at: number; drivers: Promise<readonly Driver[]> }>;

/**
 * What spent most of a budget's scope in the alert's period, by model: from the breakdown as it is when the message is made. It is no part
 * of the alert, so raising alerts again never depends on it. Without models, a period or a breakdown there are none.
 */
export class SqlDrivers {
  readonly #kept = new Map<string, Kept>();

  constructor(
    private readonly db: Kysely<Database>,
    private readonly trouble: (error: unknown) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Never rejects: a message goes out without them. */
  of(tenant: string, { scope, details }: AlertRaisedData): Promise<readonly Driver[]> {
    const { periodStart, periodEnd, currency } = details;
    if (scope === null || periodStart === null || currency === null) return Promise.resolve([]);
    const key = `${tenant} ${periodStart} ${periodEnd} ${currency} ${scope}`;
    const known = this.#kept.get(key);
    if (known !== undefined && this.now() - known.at < KEPT_MS) return known.drivers;
    const drivers = this.#read(tenant, scope, periodStart, periodEnd, currency).catch((error: unknown) => {
      this.trouble(error);
      return [];
    });
    this.#kept.delete(key);
    this.#kept.set(key, { at: this.now(), drivers });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return drivers;
  }

  async #read(tenant: string, scope: string, start: string, end: string | null, currency: string): Promise<readonly Driver[]> {
    const { rows } = await sql<{ name: string; amount: string; total: string }>`
      SELECT name, amount, sum(amount) OVER () AS total FROM (
        SELECT key::jsonb ->> 'model' AS name, sum(spend) AS amount FROM projection.rollup
        WHERE tenant = ${tenant} AND scope = ${scope} AND currency = ${currency}
          AND bucket >= ${start}::timestamptz AND (${end}::timestamptz IS NULL OR bucket < ${end}::timestamptz)
        GROUP BY 1
      ) AS spent ORDER BY amount DESC, name`.execute(this.db);
    return rows
      .filter(({ name, amount }) => name !== null && parsePicos(amount) > 0n)
      .slice(0, SHOWN)
      .map(({ name, amount, total }) => ({ name, amount, percent: shareOf(parsePicos(amount), parsePicos(total)) }));
  }
}

/** Whole percent, half up. */
const shareOf = (amount: bigint, total: bigint): string => fixedTwo((((amount * 1_000n) / total + 5n) / 10n) * 100n).replace('.00', '');
