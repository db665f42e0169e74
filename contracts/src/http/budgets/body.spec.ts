import { describe, expect, test } from '@jest/globals';
import { StoredBudget } from '../../events/budget.js';
import { InexactNumber } from '../../values/money.js';
import { parseWith } from '../parse.js';
import { BudgetBody, withCurrency } from './body.js';

const base = { name: 'AI', scope: 'team:ml', limit: { amount: '1000.00', currency: 'EUR' }, period: { kind: 'monthly' } };
const threshold = { percent: 80, severity: 'warning' };

/** `ok`, or the code and pointer of the first error. */
const outcome = (changes: object, body: object = base): string => {
  const parsed = parseWith(BudgetBody, { ...body, ...changes });
  return parsed.ok ? 'ok' : `${parsed.errors[0]?.code} ${parsed.errors[0]?.pointer}`;
};
const read = (changes: object) => {
  const parsed = parseWith(BudgetBody, { ...base, ...changes });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
};

describe('a budget', () => {
  test.each([
    ['IN-B2', { limit: { amount: '1e5' } }, 'amount_format /limit/amount'],
    ['IN-B7', { limit: { amount: new InexactNumber('9007199254740993') } }, 'unsafe_integer /limit/amount'],
    ['IN-B11', { limit: { amount: '0.1234567890123' } }, 'scale /limit/amount'],
    ['IN-B18', { limit: { amount: true } }, 'amount_format /limit/amount'],
    ['IN-B18', { limit: '1000' }, 'wrong_type /limit'],
    ['IN-B18', { limit: 1000 }, 'wrong_type /limit'],
    ['IN-B19', { limit: { amount: '1', currency: 'usd' } }, 'currency /limit/currency'],
    ['IN-B19', { limit: { amount: '1', currency: 'ZZZ' } }, 'currency /limit/currency'],
    ['IN-C7', { colour: 'red' }, 'unknown_field /colour'],
    ['IN-C7', { enforcement: { mode: 'block', strict: true } }, 'unknown_field /enforcement/strict'],
    ['IN-C9', { metadata: { text: 'x'.repeat(5000) } }, 'too_long /metadata'],
    ['IN-C13', { name: '<script>{{7*7}}\r\nBcc: x' }, 'ok'],
    ['IN-C15', { name: `${'a'.repeat(50_000)}!` }, 'too_long /name'],
    ['IN-C16', { name: '😀'.repeat(200) }, 'ok'],
    ['IN-C16', { name: '😀'.repeat(201) }, 'too_long /name'],
    ['IN-C2', { name: 'a\u0000' }, 'text_format /name'],
    ['IN-D1', { validFrom: '2026-02-30T00:00:00Z' }, 'time_format /validFrom'],
    ['IN-D2', { validFrom: '2026-02-03T00:00:00' }, 'offset_required /validFrom'],
    ['IN-D13', { period: { kind: 'monthly', timezone: 'EST5EDT' } }, 'timezone /period/timezone'],
    ['IN-D13', { period: { kind: 'monthly', timezone: 'GMT+25' } }, 'timezone /period/timezone'],
    ['IN-D13', { period: { kind: 'monthly', timezone: 'Mars/Base' } }, 'timezone /period/timezone'],
    ['IN-D13', { period: { kind: 'monthly', timezone: '' } }, 'timezone /period/timezone'],
    ['IN-G1', { limit: { amount: '-1' } }, 'negative /limit/amount'],
    ['IN-G1', { limit: { amount: '0' } }, 'ok'],
    ['IN-G1', { limit: null }, 'ok'],
    ['IN-G1', { limit: undefined }, 'required /limit'],
    ['IN-G1', { limit: { amount: '1000000000000000000.000000000001' } }, 'too_large /limit/amount'],
    ['IN-G2', { thresholds: [{ ...threshold, percent: 0 }] }, 'not_positive /thresholds/0/percent'],
    ['IN-G2', { thresholds: [{ ...threshold, percent: -5 }] }, 'negative /thresholds/0/percent'],
    ['IN-G2', { thresholds: [{ ...threshold, percent: 1000 }] }, 'ok'],
    ['IN-G2', { thresholds: [{ ...threshold, percent: 1000.01 }] }, 'too_large /thresholds/0/percent'],
    ['IN-G2', { thresholds: [threshold, { percent: '80.0', severity: 'info' }] }, 'duplicate /thresholds/1'],
    ['IN-G2', { thresholds: Array.from({ length: 50 }, (_, n) => ({ ...threshold, percent: n + 1 })) }, 'ok'],
    ['IN-G2', { thresholds: Array.from({ length: 51 }, (_, n) => ({ ...threshold, percent: n + 1 })) }, 'too_many /thresholds'],
    [
      'IN-G2',
      {
        thresholds: [
          { ...threshold, percent: 80.5 },
          { ...threshold, percent: 101 },
        ],
      },
      'ok',
    ],
    ['IN-G10', { spent: '5' }, 'unknown_field /spent'],
    ['IN-G10', { tenant_id: 'x' }, 'unknown_field /tenant_id'],
    ['IN-G10', { id: 'mine' }, 'unknown_field /id'],
    ['threshold', { thresholds: [{ severity: 'info' }] }, 'exclusive /thresholds/0/percent'],
    ['threshold', { thresholds: [{ ...threshold, amount: '5' }] }, 'exclusive /thresholds/0/percent'],
    ['threshold', { thresholds: [{ amount: '400', severity: 'info' }] }, 'ok'],
    ['threshold', { thresholds: [{ amount: { amount: '400', currency: 'EUR' }, severity: 'info' }] }, 'ok'],
    [
      'threshold',
      { thresholds: [{ amount: { amount: '400', currency: 'USD' }, severity: 'info' }] },
      'currency /thresholds/0/amount/currency',
    ],
    ['threshold', { thresholds: [{ ...threshold, actions: ['restrict-models'] }] }, 'required /thresholds/0/allowedModels'],
    ['threshold', { thresholds: [{ ...threshold, allowedModels: ['a'] }] }, 'exclusive /thresholds/0/allowedModels'],
    ['threshold', { thresholds: [{ ...threshold, actions: ['auto-downgrade'], downgrade: { a: 'b' } }] }, 'ok'],
    ['threshold', { thresholds: [{ ...threshold, severity: 'fatal' }] }, 'not_allowed /thresholds/0/severity'],
    ['block', { enforcement: { blockAtPercent: 99.9 } }, 'too_small /enforcement/blockAtPercent'],
    ['block', { enforcement: { blockAtPercent: 150 } }, 'ok'],
    ['block', { enforcement: { blockAtPercent: 150.1 } }, 'too_large /enforcement/blockAtPercent'],
    ['block', { enforcement: { blockAtPercent: '110' } }, 'wrong_type /enforcement/blockAtPercent'],
    ['levels', { levels: { yellow: 95 } }, 'order /levels'],
    ['levels', { levels: { yellow: 80, orange: null, red: 100 } }, 'ok'],
    ['period', { period: { kind: 'hourly' } }, 'not_allowed /period/kind'],
    ['period', { period: 'monthly' }, 'wrong_type /period'],
    ['period', { period: { kind: 'rolling' } }, 'required /period/length'],
    ['period', { period: { kind: 'rolling', length: 'P1M' } }, 'ok'],
    ['period', { period: { kind: 'rolling', length: '30 days' } }, 'duration_format /period/length'],
    ['period', { period: { kind: 'weekly', length: '7d' } }, 'exclusive /period/length'],
    ['period', { period: { kind: 'custom', start: '2026-01-01T00:00:00Z' } }, 'required /period/end'],
    ['period', { period: { kind: 'custom', start: '2026-01-01T00:00:00.5Z', end: '2026-01-01T00:00:00.5Z' } }, 'order /period/end'],
    ['valid', { validFrom: '2026-01-02T00:00:00Z', validUntil: '2026-01-01T00:00:00Z' }, 'order /validUntil'],
    ['scope', { scope: 'Team:ml' }, 'scope_format /scope'],
    ['scope', { scope: { type: 'team', id: 'ml', extra: 1 } }, 'scope_format /scope'],
  ] as const)('%s %j: %s', (_row, changes, expected) => expect(outcome(changes)).toBe(expected));

  test.each(['name', 'scope', 'limit', 'period'] as const)('%s is required', (key) => {
    const { [key]: _left, ...rest } = base;
    expect(outcome({}, rest)).toBe(`required /${key}`);
  });

  test('says no more than it has to, and gets the defaults of the contract', () => {
    expect(withCurrency(read({ limit: { amount: 1000 } }), 'USD')).toEqual({
      name: 'AI',
      scope: 'team:ml',
      limit: { amount: '1000', currency: 'USD' },
      period: { kind: 'monthly', timezone: 'UTC', recurring: true },
      thresholds: [
        { percent: '80', severity: 'warning', actions: ['notify'] },
        { percent: '95', severity: 'critical', actions: ['notify'] },
      ],
      levels: { yellow: 75, orange: 90, red: 100 },
      enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
      rollover: { mode: 'none' },
      permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
      validFrom: null,
      validUntil: null,
      metadata: {},
    });
  });

  test('is stored as it was read, null or left out being the same', () => {
    const nothing = Object.fromEntries(
      ['description', 'members', 'filter', 'thresholds', 'levels', 'enforcement', 'rollover', 'permissions', 'validFrom', 'metadata'].map(
        (key) => [key, null],
      ),
    );
    expect(read(nothing)).toEqual(read({}));
    expect(StoredBudget.parse(withCurrency(read({}), 'USD'))).toEqual(withCurrency(read({}), 'USD'));
  });

  test('normalises what can be written in several ways', () => {
    const period = { kind: 'yearly', timezone: 'US/Pacific', anchor: '2026-01-31T10:00:00.000+02:00' };
    const sent = read({ scope: { type: 'team', id: 'ml' }, period, members: ['team:a', { type: 'team', id: 'a' }] });
    expect(sent).toMatchObject({ scope: 'team:ml', members: ['team:a'] });
    expect(sent.period).toEqual({ kind: 'annual', timezone: 'America/Los_Angeles', anchor: '2026-01-31T08:00:00Z', recurring: true });
    expect(read({ period: { kind: 'custom', start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' } }).period.recurring).toBe(false);
  });

  test('IN-G2 thresholds are sorted by what reaches them first', () => {
    const thresholds = [
      { ...threshold, percent: 100 },
      { amount: '900', severity: 'info' },
      { ...threshold, percent: 80.5 },
    ];
    expect(read({ thresholds }).thresholds.map(({ percent, amount }) => percent ?? amount)).toEqual(['80.5', '900', '100']);
  });
});
