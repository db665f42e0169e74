import { z } from 'zod';
import { StoredPrice } from '../../events/tenant.js';
import { Amount, Instant, listOf } from './common.js';

export const Scope = z
  .looseObject({
    scope: z.string(),
    type: z.string(),
    id: z.string(),
    parents: z.array(z.string()),
    name: z.string().nullable(),
    attributes: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Scope' });
export const ScopeList = listOf(Scope).meta({ id: 'ScopeList' });

export const PriceList = z
  .looseObject({
    id: z.string(),
    name: z.string(),
    currency: z.string(),
    effectiveFrom: Instant,
    from: z.string().nullable().optional(),
    prices: z.array(StoredPrice.meta({ id: 'Price' })).optional(),
  })
  .meta({ id: 'PriceList' });
export const PriceLists = listOf(PriceList).meta({ id: 'PriceLists' });

export const ExchangeRate = z
  .looseObject({ from: z.string(), to: z.string(), rate: Amount, effectiveFrom: Instant })
  .meta({ id: 'ExchangeRate' });
export const ExchangeRates = listOf(ExchangeRate).meta({ id: 'ExchangeRates' });
