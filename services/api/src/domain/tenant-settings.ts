import type { LedgerEvent, Price } from '@bursar/contracts';

export type PriceList = Readonly<{
  listId: string;
  name: string;
  currency: string;
  effectiveFrom: string;
  from: string | null;
  prices: readonly Price[];
  /** Position of its creation: the later created wins a tie, and this orders them. */
  position: number;
  createdAt: string;
}>;
export type ExchangeRate = Readonly<{ from: string; to: string; rate: string; effectiveFrom: string; position: number; createdAt: string }>;

/** What stream `tenant-<tenant>` says: price lists and exchange rates, oldest first. Folded in place. */
export class TenantSettings {
  readonly priceLists = new Map<string, PriceList>();
  readonly rates: ExchangeRate[] = [];
}

/** Total; other events change nothing. */
export const evolveTenantSettings = (settings: TenantSettings, event: LedgerEvent): void => {
  const { position, recordedAt: createdAt } = event;
  if (event.type === 'PriceListCreated') {
    settings.priceLists.set(event.data.listId, { ...event.data, from: event.data.from ?? null, position, createdAt });
  } else if (event.type === 'PricesAdded') {
    const list = settings.priceLists.get(event.data.listId);
    if (list !== undefined) settings.priceLists.set(list.listId, { ...list, prices: [...list.prices, ...event.data.prices] });
  } else if (event.type === 'ExchangeRateSet') {
    settings.rates.push({ ...event.data, position, createdAt });
  }
};
