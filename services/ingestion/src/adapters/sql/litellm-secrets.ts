import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeStored } from '@bursar/bus';
import type { TenantSettings } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { type Logger, type SecretBox, SecretUnreadableError } from '@bursar/platform';
import type { Kysely } from 'kysely';
import { LitellmSecrets } from '../http/litellm-caller.js';

/** A secret taken back is refused everywhere within so long (RELIABILITY §5: 5 s). */
const FRESH_MS = 4_000;
/** Between two readings, at least: guesses cost the database nothing, and whoever guesses some time. */
const BETWEEN_MS = 250;

type Known = Readonly<{ at: number; tenantOf: ReadonlyMap<string, string>; secretOf: ReadonlyMap<string, string> }>;
const NOBODY = '';
const NOTHING: Known = { at: Number.NEGATIVE_INFINITY, tenantOf: new Map(), secretOf: new Map() };

/** What tenants set for LiteLLM (`/tenants/:id/settings`), from the definitions the projector keeps. Tokens are kept as digests only. */
export class SqlLitellmSecrets extends LitellmSecrets {
  #known: Promise<Known> = Promise.resolve(NOTHING);

  constructor(
    private readonly database: Kysely<Database>,
    private readonly box: SecretBox,
    private readonly logger: Logger,
    private readonly now: () => number = () => performance.now(),
  ) {
    super();
  }

  async tenantOf(token: string): Promise<string | null> {
    const digest = digestOf(token);
    const tenant = await this.#find(({ tenantOf }) => tenantOf.get(digest));
    return tenant === undefined || tenant === NOBODY ? null : tenant;
  }

  async secretOf(tenant: string): Promise<string | null> {
    return (await this.#find(({ secretOf }) => secretOf.get(tenant))) ?? null;
  }

  /** What is not among the known may have been set a moment ago: then the tables are read once more. */
  async #find(look: (known: Known) => string | undefined): Promise<string | undefined> {
    const asked = this.now();
    return look(await this.#readAfter(asked - FRESH_MS)) ?? look(await this.#readAfter(asked));
  }

  async #readAfter(moment: number): Promise<Known> {
    for (;;) {
      const current = this.#known;
      const known = await current.catch(() => NOTHING);
      if (known.at >= moment) return known;
      const wait = known.at + BETWEEN_MS - this.now();
      if (wait > 0) await delay(wait);
      // Whoever comes meanwhile waits for the same reading.
      if (this.#known === current) {
        this.#known = this.#read();
        return this.#known;
      }
    }
  }

  async #read(): Promise<Known> {
    const at = this.now();
    const rows = await this.database
      .selectFrom('projection.definition_event')
      .distinctOn('tenant')
      .selectAll()
      .where('type', '=', 'TenantSettingsChanged')
      .orderBy('tenant')
      .orderBy('position', 'desc')
      .execute();
    const tenantOf = new Map<string, string>();
    const secretOf = new Map<string, string>();
    for (const { recorded_at: recordedAt, ...row } of rows) {
      const event = decodeStored({ ...row, recordedAt });
      if (event.type !== 'TenantSettingsChanged') continue;
      const { webhookToken, webhookSecret } = this.#opened(row.tenant, event.data.settings.litellm);
      // One that two tenants chose says of neither who calls.
      if (webhookToken !== null) tenantOf.set(digestOf(webhookToken), tenantOf.has(digestOf(webhookToken)) ? NOBODY : row.tenant);
      if (webhookSecret !== null) secretOf.set(row.tenant, webhookSecret);
    }
    return { at, tenantOf, secretOf };
  }

  #opened(tenant: string, litellm: TenantSettings['litellm']): Record<'webhookToken' | 'webhookSecret', string | null> {
    const open = (name: 'webhookToken' | 'webhookSecret'): string | null => {
      const sealed = litellm?.[name] ?? null;
      if (sealed === null) return null;
      try {
        return this.box.open(sealed, ['settings', tenant, name]);
      } catch (error) {
        if (!(error instanceof SecretUnreadableError)) throw error;
        // Of this tenant nothing is taken by it; the others are not concerned.
        this.logger.warn({ tenant, name }, 'a secret for LiteLLM was sealed under a key that is not here');
        return null;
      }
    };
    return { webhookToken: open('webhookToken'), webhookSecret: open('webhookSecret') };
  }
}

/** Looked up by digest: how long a comparison takes says nothing about the token. */
const digestOf = (token: string): string => hash('sha256', token, 'hex');
