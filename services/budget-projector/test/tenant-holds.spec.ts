import { parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { readGrants } from '../src/domain/holds/hold.js';
import { Lot } from '../src/domain/holds/lot.js';
import { TenantHolds } from '../src/domain/holds/tenant-holds.js';
import { TERMS } from './support/grant.js';

const opened = (): TenantHolds => {
  const reservationIds = ['a', '"{b}'];
  const terms = { ...TERMS, tightest: 'one' };
  const [first] = readGrants({ change: 'granted', tenant: 'acme', terms, reservationIds, remaining: '9', graceRemaining: '11' });
  if (first === undefined) throw new Error('there are two');
  const [holds, lot] = [new TenantHolds(), new Lot('acme', first.terms, 5)];
  for (const id of reservationIds) holds.open(id, lot);
  expect(lot.size).toBe(2);
  return holds;
};

test('one of a lot is what the event granted under its id, and the same object from then on', () => {
  const holds = opened();
  const [a, b] = [holds.get('a'), holds.get('"{b}')];
  expect(a?.grant?.left).toEqual({ remaining: parsePicos('9'), graceRemaining: parsePicos('11') });
  expect(b?.grant?.left).toEqual({ remaining: parsePicos('8'), graceRemaining: parsePicos('10') });
  expect([a?.id, a?.since, a?.status, holds.sinceOf('a')]).toEqual(['a', 5, 'held', 5]);
  expect(holds.get('a')).toBe(a);
  expect([holds.get('c'), holds.sinceOf('c'), holds.has('c')]).toEqual([undefined, undefined, false]);
});

test('the terms of all that are open are known, asked for or not, and of none that has ended', () => {
  const holds = opened();
  const count = (): number => [...holds.openTerms()].length;
  const a = holds.get('a');
  expect(count()).toBe(2);
  if (a !== undefined) a.status = 'released';
  expect(count()).toBe(1);
  holds.delete('"{b}');
  expect(count()).toBe(0);
});
