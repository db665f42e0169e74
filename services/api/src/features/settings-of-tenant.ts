import { formatInstant, parseInstant, type TenantSettings, tenantStream } from '@bursar/contracts';
import type { TenantSettingsInput } from '@bursar/contracts/http';
import { SecretBox } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { type Aggregate, Streams } from '../adapters/store/streams.js';
import { decideSettings, evolveSettings, type SettingsState, unchangedSettings } from '../domain/settings.js';
import { type Answer, etag, ok } from './answer.js';
import type { CommandContext } from './command-context.js';
import { type IfMatch, requireMatch } from './if-match.js';
import { Settled } from './settled.js';

/** Commands ask for the currency of the tenant all the time: only tails are read. */
const SETTINGS: Aggregate<SettingsState> = { initial: () => unchangedSettings, evolve: evolveSettings, live: true };

/** Shown of a LiteLLM key. */
const LAST = 4;

/** A tenant's settings (PRODUCT F7), from the ledger itself: what was answered is in force for the next command, everywhere. */
@Injectable()
export class SettingsOfTenant {
  constructor(
    private readonly streams: Streams,
    private readonly settled: Settled,
    private readonly box: SecretBox,
  ) {}

  async of(tenant: string): Promise<TenantSettings> {
    return (await this.streams.load(tenantStream(tenant), tenant, SETTINGS)).state.settings;
  }

  async get(tenant: string): Promise<Answer> {
    const { state } = await this.streams.load(tenantStream(tenant), tenant, SETTINGS);
    return ok(this.#show(tenant, state), { etag: etag(state.revision) });
  }

  /** Throws `precondition_failed` for a version that `If-Match` does not name. */
  async put(context: CommandContext, input: TenantSettingsInput, ifMatch: IfMatch): Promise<Answer> {
    const { tenant } = context;
    const outcome = await this.streams.transact(tenantStream(tenant), context, SETTINGS, ({ state }) => {
      requireMatch(ifMatch, state.revision);
      return decideSettings(tenant, state, input, (secret, name) => this.box.seal(secret, placeOf(tenant, name)));
    });
    await this.settled.at(outcome);
    const headers = { etag: etag(outcome.state.revision), 'bursar-position': positionText(outcome.partition, outcome.position) };
    return ok(this.#show(tenant, outcome.state), headers);
  }

  #show(tenantId: string, { settings: { litellm, ...settings }, revision, updatedAt, updatedBy }: SettingsState): object {
    return {
      tenantId,
      ...settings,
      litellm: litellm === null ? null : this.#showLitellm(tenantId, litellm),
      revision,
      updatedAt: updatedAt === null ? null : formatInstant(parseInstant(updatedAt)),
      updatedBy,
    };
  }

  #showLitellm(tenant: string, { proxyUrl, keys, ...secrets }: NonNullable<TenantSettings['litellm']>): object {
    return {
      proxyUrl,
      keys: keys.map((key) => `…${this.box.open(key, placeOf(tenant, 'keys')).slice(-LAST)}`),
      masterKeySet: secrets.masterKey !== null,
      webhookSecretSet: secrets.webhookSecret !== null,
      webhookTokenSet: secrets.webhookToken !== null,
    };
  }
}

const placeOf = (tenant: string, name: string): readonly string[] => ['settings', tenant, name];
