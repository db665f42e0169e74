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
  const first = prices.slice(0, PRICES_PER_EVENT);
  const events: NewEvent<'PriceListCreated' | 'PricesAdded'>[] = [
    { type: 'PriceListCreated', data: { listId, name, currency, effectiveFrom, ...(from === undefined ? {} : { from }), prices: first } },
  ];
  for (let start = PRICES_PER_EVENT; start < prices.length; start += PRICES_PER_EVENT) {
    events.push({ type: 'PricesAdded', data: { listId, prices: prices.slice(start, start + PRICES_PER_EVENT) } });
  }
  return events;
};
