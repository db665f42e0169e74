import { parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import type { Refusing } from '../src/domain/refusal-event.js';
import type { Answer } from '../src/features/answer.js';
import { DecideAtOwner } from '../src/features/decide-at-owner.js';
import type { Decisions } from '../src/features/decisions.js';
import { Reserve } from '../src/features/reserve.js';
import { budgetOfOne, setUp } from './support/desk.js';

const ELSEWHERE: Answer = { status: 201, headers: {}, body: 'from the new owner' };

/** A reservation beyond the only budget, at an owner who decides it; `isLost`: at that very moment its lease is over, and another answers. */
const refuse = async (isLost: boolean) => {
  const recorded: Refusing[] = [];
  const { desk, on } = setUp(budgetOfOne());
  const decisions = { desk } as unknown as Decisions;
  let isMine = true;
  const now = on.now;
  on.now = () => {
    isMine = !isLost;
    return now();
  };
  const here = { partitions: 1, decisionsOf: () => (isMine ? decisions : null), url: () => 'http://here' };
  const owner = new DecideAtOwner(here, { urlOf: async () => 'http://other', ask: async () => ELSEWHERE });
  const refused = (refusing: Refusing): string => `decision-${recorded.push(refusing)}`;
  const body = { scopes: ['user:a'], amount: '2', ttlSeconds: 60 } as unknown as Parameters<Reserve['reserve']>[0];
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
