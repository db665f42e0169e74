import { isDefinitionEvent } from '@bursar/contracts/folds';
import { isUnreadable, type LedgerItem } from './ledger.js';

/** A definition costs to fold and to write what so many usage events cost: it is parsed, kept, shown as a row, and said to be counted. */
const DEFINITION = 20;

/** What an item costs to fold, about, in usage events: a group of decisions is one event and as many holds. */
export const weightOf = (item: LedgerItem): number => {
  if (isUnreadable(item)) return 1;
  if (item.type === 'HoldsChanged') return item.data.changes.length;
  return isDefinitionEvent(item) ? DEFINITION : 1;
};

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
