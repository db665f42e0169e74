import type { LedgerEvent } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { judge } from './oracle.ts';

const definition = (amount: string) => ({
  scope: 'team:0',
  limit: { amount, currency: 'USD' },
  thresholds: [{ percent: '50' }, { percent: '100' }],
});
const ledger = (...events: readonly (readonly [string, unknown])[]): readonly LedgerEvent[] =>
  events.map(([type, data], index) => ({ type, data, position: index + 1 }) as unknown as LedgerEvent);
const use = (user: number, amount: string) => ['UsageRecorded', { scopes: [`user:${user}`], cost: { amount } }] as const;
const crossed = (threshold: string, episode: number, causePosition: number) =>
  ['ThresholdCrossed', { budgetId: 'b', threshold, episode, causePosition }] as const;

const events = [
  ['ScopeRegistered', { scope: 'user:0', parents: ['team:0'] }],
  ['ScopeRegistered', { scope: 'user:1', parents: ['team:1'] }],
  ['BudgetCreated', { budgetId: 'b', definition: definition('10') }],
  use(0, '4.999999999999'),
  use(1, '100'),
  use(0, '0.000000000001'),
  ['BudgetChanged', { budgetId: 'b', definition: definition('20') }],
  use(0, '15'),
] as const;

test('sums, and says each crossing with its cause', () => {
  const { balances, due, standing } = judge('acme', ledger(...events));
  expect(balances.get('b')).toMatchObject({ spend: 20n * 10n ** 12n, events: 3 });
  expect(due).toEqual(['b 50% crossed 1 @6', 'b 50% cleared 1 @7', 'b 50% crossed 2 @8', 'b 100% crossed 1 @8']);
  expect(standing).toEqual(['b 50% 2', 'b 100% 1']);
});

test('shows what the ledger says more often, or of another cause', () => {
  const told = [crossed('50%', 1, 6), crossed('50%', 1, 6), crossed('100%', 1, 7)];
  const { said } = judge('acme', ledger(...events, ...told));
  expect(said).toEqual(['b 50% crossed 1 @6', 'b 50% crossed 1 @6', 'b 100% crossed 1 @7']);
});
