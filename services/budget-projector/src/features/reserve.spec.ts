import { expect, test } from '@jest/globals';
import type { Ask } from '../domain/holds/ask.js';
import { DecideAtOwner } from './decide-at-owner.js';
import type { Decisions } from './decisions.js';
import { Reserve } from './reserve.js';

const URL = 'http://other';
const BODY = { scopes: ['team:a'], amount: '1', ttlSeconds: 60 };

/** One replica: the other owns the partition, hears what is asked, says nothing, and is gone; or nobody owns it but this one. */
const setUp = (isOthersFirst: boolean) => {
  const heard: (string | null)[] = [];
  const asks: Ask[] = [];
  let isMine = !isOthersFirst;
  const desk = {
    reserve: async (_tenant: string, ask: Ask) => {
      asks.push(ask);
      return { outcome: { is: 'conflict' }, isFenced: false };
    },
  };
  const decisions = { desk } as unknown as Decisions;
  const here = {
    partitions: 1,
    decisionsOf: () => (isMine ? decisions : null),
    url: () => 'http://here',
    stopping: () => new AbortController().signal,
  };
  const owners = {
    urlOf: async () => URL,
    ask: async (_url: string, call: { body: () => string | null }) => {
      heard.push(call.body());
      isMine = true;
      return null;
    },
  };
  const reserve = new Reserve(new DecideAtOwner(here, owners), { refused: () => '' });
  const call = {
    tenant: 'acme',
    method: 'POST',
    path: '/reservations',
    body: () => JSON.stringify(BODY),
    prefer: null,
    audience: 'operator',
  };
  const way = { call, minPosition: null, isForwarded: false } as unknown as Parameters<Reserve['reserve']>[1];
  return { heard, asks, ask: () => reserve.reserve(BODY as unknown as Parameters<Reserve['reserve']>[0], way, null) };
};

test('what another owner may have granted is asked here by the same id, and looked up like one of the caller’s own', async () => {
  const { heard, asks, ask } = setUp(true);
  await expect(ask()).rejects.toMatchObject({ code: 'reservation_conflict' });
  const [sent] = heard.map((body) => JSON.parse(body ?? '') as { id: string });
  expect(asks).toMatchObject([{ reservationId: sent?.id, isCallers: true }]);
});

test('an id made here that nobody else has heard of is looked up nowhere', async () => {
  const { heard, asks, ask } = setUp(false);
  await expect(ask()).rejects.toMatchObject({ code: 'reservation_conflict' });
  expect(heard).toEqual([]);
  expect(asks).toMatchObject([{ isCallers: false }]);
});
