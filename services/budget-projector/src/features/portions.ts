import { isUnreadable, type LedgerItem } from './ledger.js';

/** What an item costs to fold, about, in rows: a group of decisions is one event and as many holds. */
const weightOf = (item: LedgerItem): number => (!isUnreadable(item) && item.type === 'HoldsChanged' ? item.data.changes.length : 1);

export type Portion = Readonly<{ items: readonly LedgerItem[]; weight: number }>;

/** The items in order, cut before each portion would weigh more than `most`; one that weighs more alone is a portion of its own. */
export const portionsOf = (items: readonly LedgerItem[], most: number): readonly Portion[] => {
  const portions: Portion[] = [];
  let [from, weight] = [0, 0];
  for (const [index, item] of items.entries()) {
    const more = weightOf(item);
    if (weight > 0 && weight + more > most) {
      portions.push({ items: items.slice(from, index), weight });
      [from, weight] = [index, 0];
    }
    weight += more;
  }
  return from < items.length ? [...portions, { items: items.slice(from), weight }] : portions;
};
