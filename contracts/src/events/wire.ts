import { z } from 'zod';
import { readDecimal } from '../values/decimal.js';
import { readInstant } from '../values/instant.js';
import { MONEY_SCALE } from '../values/money.js';
import { readScope } from '../values/scope.js';

/** Shapes shared by stored events. Stored data was normalised before it was appended, so these only describe and guard. */
export const StoredAmount = z.string().refine((text) => typeof readDecimal(text, MONEY_SCALE) === 'bigint', 'not an amount');
export const StoredMoney = z.object({ amount: StoredAmount, currency: z.string().length(3) });
export const StoredScope = z.string().refine((text) => readScope(text) !== null, 'not a scope');
export const StoredInstant = z.string().refine((text) => typeof readInstant(text) === 'bigint', 'not an instant');
/** Plain decimal text, up to 24 fraction digits (prices, rates, quantities). */
export const StoredDecimal = z.string().refine((text) => typeof readDecimal(text, 24) === 'bigint', 'not a decimal');
