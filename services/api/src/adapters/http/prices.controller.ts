import { formatInstant, NS_PER_MS } from '@bursar/contracts';
import type { ExchangeRateBody, PeriodPreview, PriceCorrectionInput, PriceListInput } from '@bursar/contracts/http';
import { EventStore } from '@bursar/event-store';
import { Caller, type Principal } from '@bursar/platform';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import type { Answer } from '../../features/answer.js';
import { ChangePrices } from '../../features/change-prices.js';
import type { CommandContext } from '../../features/command-context.js';
import { CorrectPrices } from '../../features/correct-prices.js';
import { ListPrices } from '../../features/list-prices.js';
import { previewPeriods } from '../../features/preview-periods.js';
import type { ById, Paged, PastOrNow } from './inputs.js';
import { Command, Input, Operation } from './operation.js';

@Controller()
export class PricesController {
  constructor(
    private readonly changePrices: ChangePrices,
    private readonly listPrices: ListPrices,
    private readonly correctPrices: CorrectPrices,
  ) {}

  @Operation('createPriceList')
  createList(@Input() { body }: { body: PriceListInput }, @Command() context: CommandContext): Promise<Answer> {
    return this.changePrices.createList(context, body);
  }

  @Operation('listPriceLists')
  lists(@Input() { query }: Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.listPrices.lists(tenant, query);
  }

  @Operation('getCurrentPrices')
  current(@Input() input: PastOrNow & Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.listPrices.current(tenant, input.query);
  }

  @Operation('correctPriceList')
  correct(@Input() { params, body }: ById & { body: PriceCorrectionInput }, @Command() context: CommandContext): Promise<Answer> {
    return this.correctPrices.execute(context, params.id, body);
  }

  @Operation('setExchangeRate')
  setRate(@Input() { body }: { body: z.output<typeof ExchangeRateBody> }, @Command() context: CommandContext): Promise<Answer> {
    return this.changePrices.setRate(context, body);
  }

  @Operation('listExchangeRates')
  rates(@Input() { query }: Paged, @Caller() { tenant }: Principal): Promise<Answer> {
    return this.listPrices.rates(tenant, query);
  }
}

@Controller()
export class PeriodsController {
  constructor(private readonly store: EventStore) {}

  @Operation('previewPeriods')
  async preview(@Input() { body }: { body: PeriodPreview }): Promise<Answer> {
    return previewPeriods(body, formatInstant(BigInt(Math.trunc(await this.store.clock())) * NS_PER_MS));
  }
}
