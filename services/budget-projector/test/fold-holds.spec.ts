import { parseInstant, parsePicos, type UsageRecordedEvent } from '@bursar/contracts';
import type { Charge } from '@bursar/contracts/folds';
import { describe, expect, test } from '@jest/globals';
import { Changes } from '../src/domain/changes.js';
import {
  type Ended,
  foldEnded,
  foldGranted,
  foldSettlement,
  type HoldsChangedEvent,
  settleAwaited,
} from '../src/domain/holds/fold-holds.js';
import { Grant, Hold } from '../src/domain/holds/hold.js';
import { hold } from '../src/domain/holds/place-holds.js';
import { TenantFold } from '../src/domain/tenant-fold.js';
import type { Waiting } from '../src/domain/waiting.js';
import { budgetOfOne } from './support/desk.js';
import { grant } from './support/grant.js';

const MARCH = parseInstant('2026-03-01T00:00:00Z');

const settled = (recordedAt: string, cost: string): Hold => {
  const tenant = new TenantFold(budgetOfOne(), new Map([['one', 1]]), null, []);
  const granted = grant();
  const one = new Hold('acme', 'r', granted, 2);
  tenant.holds.set(one);
  hold(tenant, granted.terms, 1, null);
  const usage = { id: 'u', position: 3, recordedAt, data: { reservationId: 'r', occurredAt: recordedAt } } as unknown as UsageRecordedEvent;
  const charged = { cost: { picos: parsePicos(cost), currency: 'USD' }, effectiveAt: MARCH } as Charge;
  expect(foldSettlement(tenant, usage, charged, undefined, one, new Changes())).toBe(one);
  expect([one.status, tenant.budgets.get('one')?.reserved.at(MARCH)]).toEqual(['settled', 0n]);
  return one;
};

describe('F26, F27: a settlement', () => {
  test.each([
    ['just before the end', '2026-03-01T00:04:59.999999Z', '1', []],
    ['at the very end: a hold is held before it, and not at it', '2026-03-01T00:05:00Z', '1', ['SettledAfterExpiry']],
    ['after it', '2026-03-01T00:05:00.000001Z', '1', ['SettledAfterExpiry']],
    ['of exactly what was held', '2026-03-01T00:01:00Z', '1.000000000000', []],
    ['of the least more', '2026-03-01T00:01:00Z', '1.000000000001', ['SettledOverReservation']],
    ['of less', '2026-03-01T00:01:00Z', '0.999999999999', []],
    ['late and of more', '2026-03-01T00:06:00Z', '2', ['SettledAfterExpiry', 'SettledOverReservation']],
  ])('%s', (_, recordedAt, cost, flags) => {
    const one = settled(recordedAt, cost);
    expect([one.flags, one.actual]).toEqual([flags, parsePicos(cost)]);
  });
});

describe('what a settlement says that it closed', () => {
  const settle = (known: Hold | null): Hold | null => {
    const tenant = new TenantFold(budgetOfOne(), new Map([['one', 1]]), null, []);
    const recordedAt = '2026-03-01T00:01:00Z';
    const usage = {
      id: 'u',
      position: 3,
      recordedAt,
      data: { reservationId: 'r', occurredAt: recordedAt },
    } as unknown as UsageRecordedEvent;
    return foldSettlement(tenant, usage, { cost: null, effectiveAt: MARCH } as Charge, undefined, known, new Changes());
  };

  test.each(['held', 'settled', 'released', 'expired'] as const)('of a hold that was %s: it, only where it was held still', (status) => {
    const one = new Hold('acme', 'r', grant(), 2);
    one.status = status;
    if (status === 'settled') one.settledBy = 'first';
    expect(settle(one)).toBe(status === 'held' ? one : null);
  });

  test('of an id that nobody was granted: nothing', () => {
    expect(settle(null)).toBeNull();
  });
});

describe('a settlement that waits (ADR 0047)', () => {
  const END = '2026-03-01T00:05:00Z';
  const price = { reason: 'price' } as Waiting;
  const rate = (...budgetIds: readonly string[]) => ({ reason: 'rate', budgetIds }) as unknown as Waiting;
  const used = (waiting: Waiting) => {
    const tenant = new TenantFold(budgetOfOne(), new Map([['one', 1]]), null, []);
    const granted = grant();
    const one = new Hold('acme', 'r', granted, 2);
    tenant.holds.set(one);
    hold(tenant, granted.terms, 1, null);
    const recordedAt = '2026-03-01T00:01:00Z';
    const usage = {
      id: 'u',
      position: 3,
      recordedAt,
      data: { reservationId: 'r', occurredAt: recordedAt },
    } as unknown as UsageRecordedEvent;
    foldSettlement(tenant, usage, { cost: null, effectiveAt: MARCH } as Charge, waiting, one, new Changes());
    const is = () => [one.status, tenant.budgets.get('one')?.reserved.at(MARCH) !== 0n];
    const end = (change: 'released' | 'expired', at = END) => {
      const ended: Ended = { change, reservationId: 'r', tenant: 'acme', at };
      return foldEnded(tenant, ended, { position: 4, recordedAt: at } as HoldsChangedEvent, new Changes());
    };
    const comes = (stillWaiting?: Waiting) => settleAwaited(tenant, one, stillWaiting, { position: 4, recordedAt: END }, new Changes());
    return { one, is, end, comes };
  };

  test.each([
    ['its price', price, ['held', true]],
    ['a rate where it holds', rate('one', 'other'), ['held', true]],
    ['a rate elsewhere', rate('other'), ['settled', false]],
  ])('for %s', (_, waiting, then) => expect(used(waiting).is()).toEqual(then));

  test('is not released: a release that was decided before it is folded changes nothing', () => {
    const { one, is, end } = used(price);
    expect([end('released'), is(), one.end]).toEqual([null, ['held', true], null]);
  });

  test('is over with its time, and not before; and it was settled', () => {
    const { one, is, end } = used(price);
    expect([end('expired', '2026-03-01T00:04:59Z'), is()]).toEqual([null, ['held', true]]);
    expect([end('expired'), is(), one.end?.at]).toEqual([one, ['settled', false], END]);
  });

  test('is over once what it waits for is here, wherever it holds', () => {
    const { one, is, comes } = used(price);
    expect([comes(rate('one')), is()]).toEqual([null, ['held', true]]);
    expect([comes(rate('other')), is()]).toEqual([one, ['settled', false]]);
    expect(comes()).toBeNull();
  });
});

test('what is decided and not folded goes into the period that now holds the moment of its grant', () => {
  const tenant = new TenantFold(budgetOfOne(), new Map([['one', 1]]), null, []);
  const budget = tenant.budgets.get('one');
  if (budget === undefined) throw new Error('there is one budget');
  const granted = grant();
  const taken = [{ budget, start: MARCH, picos: 5n }];
  const alike = new Grant('s', granted.terms, null);
  tenant.undecided.add(granted, taken);
  tenant.undecided.add(alike, taken);
  const { state } = budget;
  const yearly = { ...state.definition, period: { ...state.definition.period, kind: 'annual' as const } };
  budget.redefine({ ...state, definition: yearly }, []);
  tenant.undecided.replace(budget);
  expect([budget.undecided.at(MARCH), budget.undecided.at(parseInstant('2026-01-01T00:00:00Z'))]).toEqual([0n, 10n]);
  tenant.undecided.take([granted]);
  expect(budget.undecided.at(parseInstant('2026-01-01T00:00:00Z'))).toBe(5n);
  tenant.undecided.take([granted, alike]);
  expect(budget.undecided.starts()).toEqual([]);
});

test('an id that one event grants twice is held once', () => {
  const tenant = new TenantFold(budgetOfOne(), new Map([['one', 1]]), null, []);
  const changes = new Changes();
  const event = { position: 2 } as HoldsChangedEvent;
  expect(foldGranted(tenant, [grant(), grant()], new Set(), event, changes)).toEqual(['r']);
  expect(foldGranted(tenant, [grant()], new Set(['r']), event, changes)).toEqual([]);
  expect([changes.opened.map(({ size }) => size), changes.holds.size]).toEqual([[1], 0]);
  const one = tenant.holds.get('r');
  expect([one?.since, one?.isGrantedAgain, one]).toEqual([2, false, tenant.holds.get('r')]);
  expect(tenant.budgets.get('one')?.reserved.at(MARCH)).toBe(one?.grant?.terms.amounts[0]?.picos);
});

test('an id that is held and granted again stays what it was, and the tables are to be told which grant counts', () => {
  const tenant = new TenantFold(budgetOfOne(), new Map([['one', 1]]), null, []);
  const [changes, later] = [new Changes(), new Changes()];
  expect(foldGranted(tenant, [grant()], new Set(), { position: 2 } as HoldsChangedEvent, changes)).toEqual(['r']);
  const first = tenant.holds.get('r');
  expect(first?.isGrantedAgain).toBe(false);
  expect(foldGranted(tenant, [grant()], new Set(['r']), { position: 3 } as HoldsChangedEvent, later)).toEqual([]);
  expect([tenant.holds.get('r'), first?.since, first?.isGrantedAgain, [...later.holds], later.opened]).toEqual([
    first,
    2,
    true,
    [first],
    [],
  ]);
  expect(tenant.budgets.get('one')?.reserved.at(MARCH)).toBe(first?.grant?.terms.amounts[0]?.picos);
});
