import { derivedId, formatInstant, NS_PER_MS, type StoredChannel, tenantStream } from '@bursar/contracts';
import { ChannelBook, type ChannelState } from '@bursar/contracts/folds';
import { CHANNEL_KEYS, ChannelBody, type ChannelInput, type ChannelPatch, parseWith } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { invalid } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { type Aggregate, type Outcome, Streams } from '../adapters/store/streams.js';
import { type ChannelCommand, decideChannel, ROTATION_MS, rotated } from '../domain/channel.js';
import { Rejection } from '../domain/rejection.js';
import { type Answer, etag, ok } from './answer.js';
import { ChannelSecrets } from './channel-secrets.js';
import { ChannelTargets } from './channel-targets.js';
import { showChannel } from './channel-view.js';
import type { CommandContext } from './command-context.js';
import { Cursors } from './cursors.js';
import { type IfMatch, requireMatch } from './if-match.js';
import { type PageQuery, pageOf } from './paging.js';

const CHANNELS: Aggregate<ChannelBook> = {
  initial: () => new ChannelBook(),
  evolve: (book, event) => {
    book.apply(event);
    return book;
  },
  live: false,
};

/** Where a tenant's alerts go (PRODUCT D4), read from the ledger itself: a channel saved is there at once. Its ETag is the position of its last event. */
@Injectable()
export class Channels {
  constructor(
    private readonly streams: Streams,
    private readonly store: EventStore,
    private readonly secrets: ChannelSecrets,
    private readonly targets: ChannelTargets,
    private readonly cursors: Cursors,
  ) {}

  /** Answers the secret of a webhook, this once. */
  async add(context: CommandContext, input: ChannelInput): Promise<Answer> {
    const { tenant } = context;
    await this.targets.judge(input);
    const channelId = derivedId('channel', tenant, context.requestId);
    const secret = input.type === 'webhook' ? (input.secret ?? this.secrets.fresh()) : undefined;
    const channel = {
      ...this.#toStored(tenant, channelId, input),
      ...(secret !== undefined && { secrets: [this.secrets.seal(tenant, channelId, secret)] }),
    };
    const outcome = await this.#run(context, { type: 'AddChannel', channel });
    const state = outcome.state.get(channelId);
    // An earlier attempt of the same request made it, and it is gone since.
    if (state === undefined) throw new Rejection('not_found', 'The channel has been removed since.');
    return this.#answer(tenant, outcome, state, 201, true);
  }

  /** Without a new secret in it the answer has none. Any change enables a channel that a 410 disabled. */
  async change(context: CommandContext, channelId: string, patch: ChannelPatch, ifMatch: IfMatch): Promise<Answer> {
    const { tenant } = context;
    const before = (await this.#load(tenant)).get(channelId);
    if (before === undefined) throw notThere();
    // Judged on what it is now: whatever it becomes meanwhile by another hand was judged there.
    if (patch.url !== undefined) await this.targets.judge(this.#merge(tenant, before.channel, patch));
    const until = formatInstant(BigInt(Math.trunc(await this.store.clock()) + ROTATION_MS) * NS_PER_MS);
    const revise = (current: StoredChannel): StoredChannel => {
      const input = this.#merge(tenant, current, patch);
      const { secrets, secretRotatesUntil } = current;
      return {
        ...this.#toStored(tenant, channelId, input),
        ...(patch.secret === undefined
          ? { ...(secrets && { secrets }), ...(secretRotatesUntil && { secretRotatesUntil }) }
          : rotated(secrets ?? [], this.secrets.seal(tenant, channelId, input.secret ?? this.secrets.fresh()), until)),
      };
    };
    const outcome = await this.#run(context, { type: 'ChangeChannel', channelId, revise }, ifMatch);
    const state = outcome.state.get(channelId);
    if (state === undefined) throw notThere();
    return this.#answer(tenant, outcome, state, 200, patch.secret !== undefined);
  }

  async remove(context: CommandContext, channelId: string, ifMatch: IfMatch): Promise<Answer> {
    const { partition, position } = await this.#run(context, { type: 'RemoveChannel', channelId }, ifMatch);
    return { status: 204, headers: { 'bursar-position': positionText(partition, position) } };
  }

  async one(tenant: string, channelId: string): Promise<Answer> {
    const state = (await this.#load(tenant)).get(channelId);
    if (state === undefined) throw notThere();
    return ok(this.#show(tenant, state), { etag: etag(state.position) });
  }

  /** Newest first. */
  async list(tenant: string, query: PageQuery): Promise<Answer> {
    const all = (await this.#load(tenant)).list().toReversed();
    const page = await pageOf(
      this.cursors,
      tenant,
      'channels',
      query,
      (after, limit) =>
        Promise.resolve(all.filter(({ createdPosition }) => after === null || createdPosition < Number(after[0])).slice(0, limit)),
      ({ createdPosition }) => [createdPosition],
      (state) => this.#show(tenant, state),
    );
    return ok(page);
  }

  async #load(tenant: string): Promise<ChannelBook> {
    return (await this.streams.load(tenantStream(tenant), tenant, CHANNELS)).state;
  }

  #run(context: CommandContext, command: ChannelCommand, ifMatch: IfMatch = null): Promise<Outcome<ChannelBook>> {
    return this.streams.transact(tenantStream(context.tenant), context, CHANNELS, ({ state }) => {
      const current = command.type === 'AddChannel' ? undefined : state.get(command.channelId);
      if (current !== undefined) requireMatch(ifMatch, current.position);
      return decideChannel(command, state);
    });
  }

  /** The channel that a patch makes of the current one, read like a new one; errors point into the patch. */
  #merge(tenant: string, current: StoredChannel, patch: ChannelPatch): ChannelInput {
    const { type, name, to, events, minSeverity, rateLimit } = current;
    const merged: Record<string, unknown> = { type, name, to, events, minSeverity, rateLimit, url: this.secrets.urlOf(tenant, current) };
    for (const key of CHANNEL_KEYS) if (patch[key] !== undefined) merged[key] = patch[key];
    const parsed = parseWith(ChannelBody, merged);
    if (!parsed.ok) throw invalid(parsed.errors);
    return parsed.value;
  }

  #toStored(tenant: string, channelId: string, { secret: _, url, ...rest }: ChannelInput): StoredChannel {
    const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as typeof rest;
    if (url === undefined) return { channelId, ...given };
    return { channelId, ...given, ...(rest.type === 'slack' ? { sealedUrl: this.secrets.seal(tenant, channelId, url) } : { url }) };
  }

  #answer(tenant: string, outcome: Outcome<ChannelBook>, state: ChannelState, status: number, withSecret: boolean): Answer {
    const [secret] = withSecret ? this.secrets.secretsOf(tenant, state.channel) : [];
    const headers = { 'bursar-position': positionText(outcome.partition, outcome.position), etag: etag(state.position) };
    return {
      status,
      body: this.#show(tenant, state),
      headers: { ...headers, ...(status === 201 && { location: `/api/v1/channels/${state.channel.channelId}` }) },
      ...(secret !== undefined && { shownOnce: { secret } }),
    };
  }

  #show(tenant: string, state: ChannelState) {
    return showChannel(state, this.secrets.urlOf(tenant, state.channel));
  }
}

const notThere = (): Rejection => new Rejection('not_found', 'There is no such channel.');
