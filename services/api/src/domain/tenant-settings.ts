import { canonicalJson, type LedgerEvent, type Price } from '@bursar/contracts';

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
  /** Lists of which more corrected prices follow. */
  readonly correcting = new Set<string>();
}

/** Total; other events change nothing. */
export const evolveTenantSettings = (settings: TenantSettings, event: LedgerEvent): void => {
  const { position, recordedAt: createdAt } = event;
  if (event.type === 'PriceListCreated') {
    settings.priceLists.set(event.data.listId, { ...event.data, from: event.data.from ?? null, position, createdAt });
  } else if (event.type === 'PricesAdded' || event.type === 'PricesCorrected') {
    const { listId, prices, more } = event.data;
    const list = settings.priceLists.get(listId);
    const corrects = event.type === 'PricesCorrected' || settings.correcting.has(listId);
    if (corrects && more === true) settings.correcting.add(listId);
    else settings.correcting.delete(listId);
    if (list !== undefined)
      settings.priceLists.set(listId, { ...list, prices: corrects ? corrected(list.prices, prices) : [...list.prices, ...prices] });
  } else if (event.type === 'ExchangeRateSet') {
    settings.rates.push({ ...event.data, position, createdAt });
  }
};

/** Each in the place of those that are for the same; what is new comes last. */
const corrected = (prices: readonly Price[], corrections: readonly Price[]): readonly Price[] => {
  const by = new Map(corrections.map((price) => [keyOf(price), price]));
  const kept = new Set<string>();
  const replaced = prices.flatMap((price) => {
    const key = keyOf(price);
    const now = by.get(key);
    if (now === undefined) return [price];
    if (kept.has(key)) return [];
    kept.add(key);
    return [now];
  });
  return [...replaced, ...[...by].flatMap(([key, price]) => (kept.has(key) ? [] : [price]))];
};

/** What a price is for: all but its amount. */
const keyOf = ({ meter, match, unit, when }: Price): string => canonicalJson({ meter, match, unit, when });
