import { derivedId, formatInstant, NS_PER_MS, tenantStream } from '@bursar/contracts';
import { shippedList } from '@bursar/contracts/folds';
import type { ExchangeRateBody, PriceListInput } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { positionText } from '../adapters/sql/snapshot.js';
import { Streams } from '../adapters/store/streams.js';
import type { NewEvent } from '../domain/new-event.js';
import { type CreatePriceList, decidePriceList } from '../domain/price-list.js';
import type { Answer } from './answer.js';
import type { CommandContext } from './command-context.js';
import { SettingsOfTenant } from './settings-of-tenant.js';
import { Settled } from './settled.js';

/** POST /price-lists and POST /exchange-rates. Both only add: lists and rates compete by their dates, so there is no state to decide on. */
@Injectable()
export class ChangePrices {
  constructor(
    private readonly streams: Streams,
    private readonly settled: Settled,
    private readonly store: EventStore,
    private readonly settings: SettingsOfTenant,
  ) {}

  async createList(context: CommandContext, input: PriceListInput): Promise<Answer> {
    const list = await this.#toList(context, input);
    const position = await this.#append(context, decidePriceList(list));
    const { listId: id, prices, ...rest } = list;
    const body = { id, ...rest, priceCount: prices.length, position };
    return { status: 201, body, headers: { location: `/api/v1/price-lists/${id}`, 'bursar-position': position } };
  }

  async setRate(context: CommandContext, input: z.output<typeof ExchangeRateBody>): Promise<Answer> {
    const data = { ...input, effectiveFrom: input.effectiveFrom ?? (await this.#now()) };
    const position = await this.#append(context, [{ type: 'ExchangeRateSet', data }]);
    return { status: 201, body: { ...data, position }, headers: { 'bursar-position': position } };
  }

  async #toList({ tenant, requestId }: CommandContext, input: PriceListInput): Promise<CreatePriceList> {
    const listId = derivedId('price-list', tenant, requestId);
    if ('from' in input) {
      const shipped = shippedList(input.from);
      if (shipped === null) throw new Error(`the contract allows a list that is not shipped: ${input.from}`);
      return { listId, ...shipped, from: input.from };
    }
    const { name, currency = (await this.settings.of(tenant)).currency, prices } = input;
    return { listId, name, currency, effectiveFrom: input.effectiveFrom ?? (await this.#now()), prices };
  }

  /** In force for the next event: whoever rates compares its cache with this stream's revision. */
  async #append(context: CommandContext, events: readonly NewEvent[]): Promise<string> {
    const outcome = await this.streams.add(tenantStream(context.tenant), context, events);
    await this.settled.at(outcome);
    return positionText(outcome.partition, outcome.position);
  }

  async #now(): Promise<string> {
    return formatInstant(BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS);
  }
}
