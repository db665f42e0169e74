export { type BudgetState, budgetAppliesAt, type Countable, filterMatches } from './budget-book.js';
export * from './charge.js';
export * from './convert.js';
export * from './definitions.js';
export * from './rating.js';
export type { ScopeState } from './scope-tree.js';
export { SHIPPED_LISTS, type ShippedList, type ShippedListName, shippedList } from './shipped-lists.js';
export * from './status.js';
export * from './thresholds.js';
