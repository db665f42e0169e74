import { isDefinitionEvent } from '@bursar/contracts/folds';
import type { HoldsChangedEvent } from '../domain/holds/fold-holds.js';
import { isUnreadable, type LedgerItem } from './ledger.js';
import type { OwnChanges } from './own-changes.js';

/** A definition costs to fold and to write what so many usage events cost: it is parsed, kept, shown as a row, and said to be counted. */
const DEFINITION = 20;

/** What an item costs to fold, about, in usage events: a group of decisions is one event and as many holds. */
export const weightOf = (item: LedgerItem, own: Counted): number => {
  if (isUnreadable(item)) return 1;
  if (item.type === 'HoldsChanged') return own.count(item.id) ?? changesIn(item);
  return isDefinitionEvent(item) ? DEFINITION : 1;
};

const changesIn = (event: HoldsChangedEvent): number => {
  try {
    return event.data.changes.reduce((count, change) => count + (change.change === 'granted' ? change.reservationIds.length : 1), 0);
  } catch {
    return 1; // it is read here first, and what cannot be read is set aside by the fold
  }
};

/** How many decisions an event of ours is made of, without its being read. */
type Counted = Pick<OwnChanges, 'count'>;

export type Portion = Readonly<{ items: readonly LedgerItem[]; weight: number }>;

/** The items in order, cut before each portion would weigh more than `most`; one that weighs more alone is a portion of its own. */
export const portionsOf = (items: readonly LedgerItem[], most: number, own: Counted): readonly Portion[] => {
  const portions: Portion[] = [];
  let [from, weight] = [0, 0];
  for (const [index, item] of items.entries()) {
    const more = weightOf(item, own);
    if (weight > 0 && weight + more > most) {
      portions.push({ items: items.slice(from, index), weight });
      [from, weight] = [index, 0];
    }
    weight += more;
  }
  return from < items.length ? [...portions, { items: items.slice(from), weight }] : portions;
};
