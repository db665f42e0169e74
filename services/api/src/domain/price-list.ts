import type { Price } from '@bursar/contracts';
import type { NewEvent } from './new-event.js';

/** Prices an event holds at most: a range of events still fits one bus message (512 KB). */
export const PRICES_PER_EVENT = 500;

export type CreatePriceList = Readonly<{
  listId: string;
  name: string;
  currency: string;
  /** RFC 3339, UTC. */
  effectiveFrom: string;
  /** Name of the shipped list it was loaded from. */
  from?: string;
  prices: readonly Price[];
}>;

/** The whole list in one append, so that no reader ever meets half of it. Needs no state: lists compete, they do not exclude. */
export const decidePriceList = (command: CreatePriceList): readonly NewEvent<'PriceListCreated' | 'PricesAdded'>[] => {
  const { listId, name, currency, effectiveFrom, from, prices } = command;
  const [first = [], ...rest] = chunks(prices);
  // `more` keeps usage that waits for a price waiting until the list is whole.
  const more = (index: number): { more?: true } => (index < rest.length ? { more: true } : {});
  return [
    {
      type: 'PriceListCreated',
      data: { listId, name, currency, effectiveFrom, ...(from === undefined ? {} : { from }), prices: first, ...more(0) },
    },
    ...rest.map((part, index) => ({ type: 'PricesAdded', data: { listId, prices: part, ...more(index + 1) } }) as const),
  ];
};

/** Prices that stand instead of those for the same, in one append: usage that waits is never charged by half of them. */
export const decidePriceCorrection = (
  correctionId: string,
  listId: string,
  prices: readonly Price[],
): readonly NewEvent<'PricesCorrected' | 'PricesAdded'>[] => {
  const [first = [], ...rest] = chunks(prices);
  const more = (index: number): { more?: true } => (index < rest.length ? { more: true } : {});
  return [
    { type: 'PricesCorrected', data: { correctionId, listId, prices: first, ...more(0) } },
    ...rest.map((part, index) => ({ type: 'PricesAdded', data: { listId, prices: part, ...more(index + 1) } }) as const),
  ];
};

const chunks = (prices: readonly Price[]): Price[][] =>
  Array.from({ length: Math.ceil(prices.length / PRICES_PER_EVENT) }, (_, k) =>
    prices.slice(k * PRICES_PER_EVENT, (k + 1) * PRICES_PER_EVENT),
  );
