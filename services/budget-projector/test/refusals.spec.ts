import { type LedgerEvent, parsePicos } from '@bursar/contracts';
import type { DefinitionEvent } from '@bursar/contracts/folds';
import { expect, test } from '@jest/globals';
import { type Refusing, refusalEvent } from '../src/domain/refusal-event.js';
import { TenantHistory } from '../src/domain/tenant-history.js';
import type { Answer } from '../src/features/answer.js';
import { DecideAtOwner } from '../src/features/decide-at-owner.js';
import type { Decisions } from '../src/features/decisions.js';
import { Reserve } from '../src/features/reserve.js';
import { budgetOfOne, setUp } from './support/desk.js';

const ELSEWHERE: Answer = { status: 201, headers: {}, body: 'from the new owner' };

const BEYOND = { scopes: ['user:a'], amount: '2', ttlSeconds: 60 };

/** A reservation that the tenant's budgets refuse, at an owner who decides it; `isLost`: at that very moment its lease is over, and another answers. */
const refuse = async (isLost: boolean, asked: object = BEYOND, history = budgetOfOne()) => {
  const recorded: Refusing[] = [];
  const { desk, on } = setUp(history);
  const decisions = { desk } as unknown as Decisions;
  let isMine = true;
  const now = on.now;
  on.now = () => {
    isMine = !isLost;
    return now();
  };
  const here = {
    partitions: 1,
    decisionsOf: () => (isMine ? decisions : null),
    url: () => 'http://here',
    stopping: () => new AbortController().signal,
  };
  const owner = new DecideAtOwner(here, { urlOf: async () => 'http://other', ask: async () => ELSEWHERE });
  const refused = (refusing: Refusing): string => `decision-${recorded.push(refusing)}`;
  const body = asked as Parameters<Reserve['reserve']>[0];
  const call = { tenant: 'acme', method: 'POST', path: '/reservations', body: () => null, prefer: null, audience: 'operator' } as const;
  const [answered] = await Promise.allSettled([
    new Reserve(owner, { refused }).reserve(body, { call, minPosition: null, isForwarded: false }, null),
  ]);
  return { recorded, answered };
};

test('a refusal is recorded, named and signed by the owner who gives it', async () => {
  const { recorded, answered } = await refuse(false);
  expect(recorded).toMatchObject([{ tenant: 'acme', code: 'budget_exceeded', question: { amount: parsePicos('2') } }]);
  expect(answered).toMatchObject({
    reason: { status: 402, options: { extensions: { decisionId: 'decision-1' } }, headers: { 'bursar-owner': 'http://here' } },
  });
});

test('what was refused when the lease was over already is recorded by nobody: the caller hears another owner', async () => {
  const { recorded, answered } = await refuse(true);
  expect(answered).toMatchObject({ value: ELSEWHERE });
  expect(recorded).toEqual([]);
});

/** Of things that no list has a price of. */
const UNPRICED = { scopes: ['user:a'], meter: 'nobody', quantities: { things: '3' }, ttlSeconds: 60 };

/** Without a budget: the tenant itself denies what has no price. */
const denying = (): TenantHistory => {
  const history = new TenantHistory('acme');
  const event = {
    partition: 0,
    position: 1,
    revision: 0,
    stream: 'tenant-acme',
    id: 'deny',
    type: 'TenantSettingsChanged',
    recordedAt: '2026-02-01T00:00:00Z',
    meta: { tenant: 'acme' },
    data: { settings: { unpricedPolicy: 'deny' } },
  } as unknown as LedgerEvent;
  history.evolve(event as DefinitionEvent);
  return history;
};

test.each([
  [
    'the nearest budget that blocks at a limit',
    budgetOfOne,
    { budgetId: 'one', scope: 'user:a', currentSpend: '0', limit: '1' },
    { budgetId: 'one', scope: 'user:a', currentSpend: { amount: '0', currency: 'USD' }, limit: { amount: '1', currency: 'USD' } },
  ],
  ['nobody, where the tenant denies it', denying, {}, { budgetId: null, budgetName: null, scope: null, currentSpend: null, limit: null }],
])('what has no price is refused by %s, recorded and named, and comes to no amount', async (_by, history, said, noted) => {
  const { recorded, answered } = await refuse(false, UNPRICED, history());
  const remediation = 'Contact your administrator to set prices for these units.';
  expect(answered).toMatchObject({
    reason: {
      code: 'price_missing',
      detail: `No price covers: things. ${remediation}`,
      options: { extensions: { decisionId: 'decision-1', unpriced: ['things'], amount: null, remediation, position: '0:1', ...said } },
      headers: { 'bursar-position': '0:1' },
    },
  });
  const events = recorded.map((refusing) => JSON.parse(refusalEvent(refusing, 'decision-1', 1).data) as object);
  expect(events).toMatchObject([
    { decisionId: 'decision-1', code: 'price_missing', amount: null, unpriced: ['things'], scopes: ['user:a'], ...noted },
  ]);
});
