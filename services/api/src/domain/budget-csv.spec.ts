import { BudgetBody, parseWith, withCurrency } from '@bursar/contracts/http';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CellError, toBody, toCells } from './budget-csv.js';

const definitionOf = (body: unknown) => {
  const parsed = parseWith(BudgetBody, body);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return withCurrency(parsed.value, 'USD');
};
const BASE = { name: 'n', scope: 'team:ml', limit: { amount: '1', currency: 'EUR' }, period: { kind: 'monthly' } };

describe('a budget as a line of CSV', () => {
  test.each([
    {},
    { limit: null },
    { limit: { amount: null, currency: 'EUR' } },
    { limit: { amount: '0' }, levels: { orange: null }, metadata: { a: [1, { b: null }] } },
    { period: { kind: 'rolling', length: '30d', anchor: '2026-01-01T00:00:00Z', timezone: 'Asia/Tokyo' } },
    { period: { kind: 'custom', start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }, rollover: { mode: 'unused', cap: '5' } },
    {
      members: ['user:=a', 'user:b'],
      filter: { category: '-c', dimensions: { model: '@x*' } },
      enforcement: { blockAtPercent: 112.5, autoPause: true },
    },
    {
      thresholds: [{ amount: '5', severity: 'info', actions: [] }],
      permissions: { userCanModifyLimit: true },
      validFrom: '2026-01-01T00:00:00Z',
    },
  ])('what is read back is the budget: %j', (more) => {
    const definition = definitionOf({ ...BASE, ...more });
    expect(definitionOf(toBody(toCells('b', definition)))).toEqual(definition);
  });

  test.each(["=cmd|'/c calc'!A1", '+1', '-1', '@SUM(A1)', "'=1", "''+x", '＝1'])('IN-C12 no cell is a formula: %s', (name) => {
    const definition = definitionOf({ ...BASE, name, description: name });
    const cells = toCells('b', definition);
    for (const cell of Object.values(cells)) expect(cell).not.toMatch(/^[=+\-@\t\r\0＝＋－＠]/);
    expect(cells.limit).toBe('1');
    expect(toBody(cells)).toMatchObject({ name, description: name });
  });

  test('any name comes back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: fc.constantFrom("'", '=', '+', 'a', ' ', '"', ',', '@') }), (name) => {
        expect(toBody(toCells('b', { ...definitionOf(BASE), name })).name).toBe(name);
      }),
    );
  });

  test('no limit is said in so many letters; an empty cell is a limit that was forgotten', () => {
    expect(toBody({ limit: 'unlimited', currency: 'EUR' }).limit).toEqual({ amount: null, currency: 'EUR' });
    expect(toBody({ limit: '', currency: 'EUR' }).limit).toEqual({ currency: 'EUR' });
  });

  test('a cell that is to be JSON and is not is named', () => {
    expect(() => toBody({ thresholds: '[{' })).toThrow(new CellError('thresholds'));
  });
});
