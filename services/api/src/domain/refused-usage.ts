import { type EventOf, formatInstant, parseInstant } from '@bursar/contracts';
import { type BudgetState, budgetAppliesAt, chargedPath, filterMatches, type TenantDefinitions } from '@bursar/contracts/folds';

type Refused = EventOf<'UsageRefused'>;

/** Was it asked of this budget, whichever refused it? By the scopes above it as they were then. */
export const wasAskedOf = (budget: BudgetState, { data }: Refused, definitions: TenantDefinitions): boolean => {
  const path = chargedPath(definitions, data.scopes, data.position);
  return (
    budget.scopes.some((scope) => path.includes(scope)) &&
    filterMatches(budget, data) &&
    budgetAppliesAt(budget, parseInstant(data.refusedAt))
  );
};

/** As a line of a budget's history: it charged nothing. `count`: refusals that it stands for. */
export const showRefusal = ({ id, data, partition, position, recordedAt }: Refused, { currency }: BudgetState): object => ({
  kind: 'refused',
  eventId: id,
  id: data.decisionId,
  source: 'bursar',
  occurredAt: data.refusedAt,
  recordedAt: formatInstant(parseInstant(recordedAt)),
  scopes: data.scopes,
  status: 'refused',
  ...(data.category !== undefined && { category: data.category }),
  ...(data.dimensions !== undefined && { dimensions: data.dimensions }),
  ...(data.reservationId !== null && { reservationId: data.reservationId }),
  cost: data.amount,
  ...(data.unpriced !== undefined && { unpriced: data.unpriced }),
  amount: '0',
  currency,
  code: data.code,
  refusedBy: data.budgetId,
  count: data.count,
  voided: false,
  rerated: false,
  position: `${partition}:${position}`,
});
