import { expect, test } from '@jest/globals';
import { emit } from './emitted.js';

const COUNTED = { budgetId: 'b', through: 0, periods: [], waitingForRate: [], complete: true };
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('what is emitted names its cause and stays in its trace', () => {
  const cause = { id: 'usage-1', meta: { tenant: 'acme', actor: 'key:admin', traceparent, tracestate: 'a=1' } };
  expect(JSON.parse(emit('BudgetCounted', 'balance-acme.b', 'id', COUNTED, cause).meta)).toEqual({
    tenant: 'acme',
    actor: 'budget-projector',
    via: 'projector',
    causationId: 'usage-1',
    traceparent,
    tracestate: 'a=1',
  });
});

test('what has no cause, or a cause without a trace, names none', () => {
  const meta = { tenant: 'acme', actor: 'budget-projector', via: 'projector' };
  expect(JSON.parse(emit('BudgetCounted', 'balance-acme.b', 'id', COUNTED, { meta: { tenant: 'acme' } }).meta)).toEqual(meta);
});
