import { describe, expect, test } from '@jest/globals';
import type { BudgetDefinition } from '../events/budget.js';
import { parseInstant } from '../values/instant.js';
import { parsePicos } from '../values/money.js';
import type { BudgetControls } from './budget-controls.js';
import { BUDGET } from './given.js';
import { type BudgetStatus, budgetStatus, type Crossing, currentPeriod, type StatusInput } from './status.js';

const PAUSED: BudgetControls = { pause: { since: '2025-11-01T00:00:00Z', by: 'ana', reason: null }, overrides: [] };

/** November has 30 days: at the 16th, 15 have gone and 15 remain. */
const NOW = parseInstant('2025-11-16T00:00:00Z');

const status = (changes: Partial<BudgetDefinition>, spend: string, more: Partial<StatusInput> = {}): BudgetStatus => {
  const definition = { ...BUDGET, ...changes };
  const now = more.now ?? NOW;
  return budgetStatus({
    budgetId: 'b',
    definition,
    period: currentPeriod(definition, now),
    balance: { spend: parsePicos(spend) },
    crossings: [],
    counting: false,
    now,
    position: '3:41',
    lastUpdated: now,
    ...more,
  });
};

test('the whole object, figure by figure', () => {
  expect(status({}, '650.5')).toEqual({
    budgetId: 'b',
    currency: 'EUR',
    limit: '1000',
    effectiveLimit: '1000',
    rolledOver: null,
    currentSpend: '650.5',
    reserved: '0',
    remaining: '349.5',
    graceRemaining: '449.5',
    percentUsed: '65.05',
    blockPoint: '1100',
    periodStart: '2025-11-01T00:00:00Z',
    periodEnd: '2025-12-01T00:00:00Z',
    daysRemaining: 15,
    burnRate: '43.37',
    projectedTotal: '1301.00',
    projectedExhaustion: '2025-11-24T01:25:14Z',
    status: 'ok',
    alertLevel: 'green',
    activeAlerts: [],
    paused: false,
    override: null,
    waiting: 0,
    incomplete: false,
    position: '3:41',
    lastUpdated: '2025-11-16T00:00:00Z',
  });
});

describe('status and alertLevel', () => {
  const unlimited: Partial<BudgetDefinition> = {
    limit: { amount: null, currency: 'EUR' },
    thresholds: [{ amount: '400', severity: 'critical', actions: ['notify'] }],
  };
  const zero: Partial<BudgetDefinition> = { limit: { amount: '0', currency: 'EUR' } };
  const late: Partial<BudgetDefinition> = { thresholds: [{ percent: '120', severity: 'warning', actions: ['notify'] }] };
  const tenantProfile: Partial<BudgetDefinition> = { levels: { yellow: 80, red: 100 } };

  test.each<[string, Partial<BudgetDefinition>, string, string, string]>([
    ['nothing spent', {}, '0', 'ok', 'green'],
    ['below the first level', {}, '749.999999999999', 'ok', 'green'],
    ['a level that is no threshold', {}, '750', 'ok', 'yellow'],
    ['a pico under the warning threshold', {}, '799.999999999999', 'ok', 'yellow'],
    ['exactly at it', {}, '800', 'warning', 'yellow'],
    ['orange', {}, '900', 'warning', 'orange'],
    ['exactly critical', {}, '950', 'critical', 'orange'],
    ['a pico under the limit', {}, '999.999999999999', 'critical', 'orange'],
    ['exactly the limit', {}, '1000', 'exceeded', 'red'],
    ['in the grace', {}, '1099.999999999999', 'exceeded', 'red'],
    ['exactly the block point', {}, '1100', 'exceeded', 'blocked'],
    ['a notify budget never blocks', { enforcement: { mode: 'notify', blockAtPercent: 100, autoPause: false } }, '5000', 'exceeded', 'red'],
    ['an off budget never blocks', { enforcement: { mode: 'off', blockAtPercent: 100, autoPause: false } }, '5000', 'exceeded', 'red'],
    ['block at 100', { enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false } }, '1000', 'exceeded', 'blocked'],
    ['block at 112.5', { enforcement: { mode: 'block', blockAtPercent: 112.5, autoPause: false } }, '1124.99', 'exceeded', 'red'],
    ['no thresholds', { thresholds: [] }, '990', 'ok', 'orange'],
    ['a threshold past the limit does not hide that it is exceeded', late, '1000', 'exceeded', 'red'],
    ['the tenant profile has no orange', tenantProfile, '950', 'critical', 'yellow'],
    ['zero limit, nothing spent', zero, '0', 'ok', 'green'],
    ['zero limit, a pico spent', zero, '0.000000000001', 'exceeded', 'blocked'],
    ['unlimited, below its amount', unlimited, '399', 'ok', 'green'],
    ['unlimited, at its amount', unlimited, '400', 'critical', 'green'],
    ['a credit', {}, '-5', 'ok', 'green'],
  ])('%s', (_, changes, spend, expected, level) => {
    expect(status(changes, spend)).toMatchObject({ status: expected, alertLevel: level });
  });

  test('paused wins over everything, counting over the rest', () => {
    expect(status({}, '2000', { counting: true })).toMatchObject({ status: 'counting', paused: false });
    expect(status({}, '2000', { counting: true, controls: PAUSED })).toMatchObject({ status: 'paused', paused: true });
  });

  test('without a limit there is nothing to be left or used', () => {
    const { limit, effectiveLimit, remaining, graceRemaining, percentUsed, blockPoint, projectedTotal, projectedExhaustion } = status(
      unlimited,
      '9',
    );
    for (const value of [limit, effectiveLimit, remaining, graceRemaining, percentUsed, blockPoint, projectedTotal, projectedExhaustion]) {
      expect(value).toBeNull();
    }
  });

  test('at limit zero what is left is what is overdrawn', () => {
    expect(status(zero, '2')).toMatchObject({ remaining: '-2', graceRemaining: '-2', blockPoint: '0', percentUsed: null });
  });
});

describe('time', () => {
  test.each([
    ['2025-11-01T00:00:00Z', 30],
    ['2025-11-01T00:00:00.000000001Z', 30],
    ['2025-11-15T23:59:59Z', 16],
    ['2025-11-30T00:00:00Z', 1],
    ['2025-11-30T23:59:59.999999999Z', 1],
  ])('at %s %s days remain', (now, days) => {
    expect(status({}, '1', { now: parseInstant(now) }).daysRemaining).toBe(days);
  });

  test('a new period starts from nothing by the clock alone', () => {
    const december = status({}, '0', { now: parseInstant('2025-12-01T00:00:00Z'), balance: null });
    expect(december).toMatchObject({ currentSpend: '0', remaining: '1000', periodStart: '2025-12-01T00:00:00Z', burnRate: null });
  });

  test('a one-off budget speaks of its only period before and after it', () => {
    const once: Partial<BudgetDefinition> = {
      period: { kind: 'custom', timezone: 'UTC', start: '2025-01-01T00:00:00Z', end: '2025-02-01T00:00:00Z', recurring: false },
    };
    const only = { periodStart: '2025-01-01T00:00:00Z', periodEnd: '2025-02-01T00:00:00Z', currentSpend: '7' };
    expect(status(once, '7', { now: parseInstant('2024-12-31T00:00:00Z') })).toMatchObject({ ...only, daysRemaining: 32, burnRate: null });
    expect(status(once, '7', { now: parseInstant('2025-01-16T00:00:00Z') })).toMatchObject({ ...only, daysRemaining: 16 });
    expect(status(once, '7')).toMatchObject({ ...only, daysRemaining: 0, projectedExhaustion: null });
  });

  test('the first minutes are taken for an hour, so that one call does not project a fortune', () => {
    expect(status({}, '1', { now: parseInstant('2025-11-01T00:00:01Z') })).toMatchObject({ burnRate: '24.00', projectedTotal: '720.00' });
  });

  test('no exhaustion is foreseen when the period ends first, nor when it has come', () => {
    expect(status({}, '400').projectedExhaustion).toBeNull();
    expect(status({}, '500').projectedExhaustion).toBeNull();
    expect(status({}, '500.01').projectedExhaustion).toBe('2025-11-30T23:59:09Z');
    expect(status({}, '1000').projectedExhaustion).toBeNull();
  });
});

describe('active alerts', () => {
  const crossing = (alertId: string, changes: Partial<Crossing>, data: Partial<Crossing['data']> = {}): Crossing => ({
    alertId,
    data: {
      budgetId: 'b',
      budgetName: 'AI Operations',
      scope: 'team:ml',
      periodStart: '2025-11-01T00:00:00Z',
      periodEnd: '2025-12-01T00:00:00Z',
      threshold: '80%',
      definition: { percent: '80.5', severity: 'warning', actions: ['notify'] },
      episode: 1,
      spend: '800',
      limit: '1000',
      currency: 'EUR',
      percentUsed: '80.00',
      causePosition: 7,
      ...data,
    },
    crossedAt: parseInstant('2025-11-10T00:00:00Z'),
    clearedAt: null,
    ...changes,
  });

  test('those of this period that were not cleared, with the threshold’s own number', () => {
    const crossings = [
      crossing('one', {}),
      crossing('cleared', { clearedAt: NOW }),
      crossing('last month', {}, { periodStart: '2025-10-01T00:00:00Z' }),
      crossing('two', { acknowledged: true }, { definition: { amount: '900', severity: 'critical', actions: ['block-all'] } }),
    ];
    expect(status({}, '900', { crossings }).activeAlerts).toEqual([
      { alertId: 'one', percent: 80.5, severity: 'warning', actions: ['notify'], since: '2025-11-10T00:00:00Z', acknowledged: false },
      { alertId: 'two', amount: '900', severity: 'critical', actions: ['block-all'], since: '2025-11-10T00:00:00Z', acknowledged: true },
    ]);
  });
});

test('usage that waits for a price is said, not counted', () => {
  expect(status({}, '0', { balance: { spend: 5n, waiting: 2 } })).toMatchObject({ waiting: 2, currentSpend: '0.000000000005' });
});

describe('overrides', () => {
  const override = (more: Partial<BudgetControls['overrides'][number]>): BudgetControls => ({
    pause: null,
    overrides: [
      {
        overrideId: 'o',
        amount: { amount: '500', currency: 'EUR' },
        enforcement: null,
        expiresAt: '2025-11-20T00:00:00Z',
        reason: 'launch',
        createdBy: 'ana',
        createdAt: '2025-11-10T00:00:00Z',
        ...more,
      },
    ],
  });

  test('raise the limit that every figure is of', () => {
    expect(status({}, '1200', { controls: override({}) })).toMatchObject({
      limit: '1000',
      effectiveLimit: '1500',
      remaining: '300',
      blockPoint: '1650',
      graceRemaining: '450',
      percentUsed: '80.00',
      status: 'warning',
      alertLevel: 'yellow',
      override: { overrideIds: ['o'], amount: '500', enforcement: null, expiresAt: '2025-11-20T00:00:00Z' },
    });
  });
  test('are over by the clock alone', () => {
    const expired = status({}, '1200', { controls: override({}), now: parseInstant('2025-11-20T00:00:00Z') });
    expect(expired).toMatchObject({ effectiveLimit: '1000', status: 'exceeded', alertLevel: 'blocked', override: null });
  });
  test('may switch enforcement off: then nothing is blocked, and the figures stay', () => {
    const off = status({}, '1200', { controls: override({ amount: null, enforcement: 'off' }) });
    expect(off).toMatchObject({
      effectiveLimit: '1000',
      blockPoint: '1100',
      graceRemaining: '-100',
      status: 'exceeded',
      alertLevel: 'red',
    });
    expect(off.override).toMatchObject({ amount: null, enforcement: 'off' });
  });
  test('leave an unlimited budget unlimited', () => {
    const unlimited = status({ limit: { amount: null, currency: 'EUR' } }, '1', { controls: override({}) });
    expect(unlimited).toMatchObject({ limit: null, effectiveLimit: null, blockPoint: null, override: { amount: '500' } });
  });
});

describe('what was rolled over', () => {
  test('is part of the limit that every figure is of', () => {
    expect(status({}, '900', { carried: parsePicos('200') })).toMatchObject({
      limit: '1000',
      rolledOver: '200',
      effectiveLimit: '1200',
      remaining: '300',
      blockPoint: '1320',
      percentUsed: '75.00',
      status: 'ok',
      alertLevel: 'yellow',
    });
  });
  test('may be owed: that leaves nothing at most', () => {
    expect(status({}, '900', { carried: parsePicos('-100') })).toMatchObject({
      rolledOver: '-100',
      effectiveLimit: '900',
      status: 'exceeded',
    });
    expect(status({}, '0', { carried: parsePicos('-1500') })).toMatchObject({
      rolledOver: '-1500',
      effectiveLimit: '0',
      remaining: '0',
      status: 'ok',
    });
  });
});
