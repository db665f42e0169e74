import { type HoldChange, parseInstant, parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { type Among, HeldBeside } from './held-beside.js';

const START = '2026-03-01T00:00:00Z';
const at = (second: number): string => `2026-03-10T00:00:0${second}Z`;

const granted = (grantedAt: string, ids: readonly string[], more: object = {}): HoldChange =>
  ({
    change: 'granted',
    tenant: 'acme',
    terms: {
      grantedAt,
      budgets: [
        { budgetId: 'team', periodStart: START, amount: '1' },
        { budgetId: 'org', periodStart: START, amount: '2' },
      ],
    },
    reservationIds: ids,
    ...more,
  }) as unknown as HoldChange;

const beside = (among: Partial<Among>, ...events: readonly HoldChange[][]) => {
  const held = new HeldBeside({
    tenant: 'acme',
    reservationId: null,
    now: parseInstant(at(5)),
    lacking: 0n,
    decidedBy: 'team',
    starts: new Map([
      ['team', START],
      ['org', START],
    ]),
    ...among,
  });
  for (const changes of events) held.tell(changes);
  return [held.on('team'), held.on('org')].map((picos) => Number(picos / parsePicos('1')));
};

test('what was granted earlier is held beside it; what was granted at the same moment, as far as the deciding budget says', () => {
  const events = [[granted(at(4), ['a', 'b'])], [granted(at(5), ['c', 'd', 'e'])], [granted(at(6), ['f'])]];
  expect(beside({}, ...events)).toEqual([2, 4]);
  expect(beside({ lacking: parsePicos('4') }, ...events)).toEqual([4, 8]);
  expect(beside({ now: 0n, lacking: parsePicos('3') }, ...events)).toEqual([3, 6]);
  expect(beside({ now: 0n }, ...events)).toEqual([0, 0]);
  expect(beside({ decidedBy: null }, ...events)).toEqual([2, 4]);
});

test('nothing after it is, also where something of the same moment came between', () => {
  const later = [[granted(at(5), ['c'])], [granted(at(4), ['not in order'])]];
  expect(beside({}, ...later)).toEqual([0, 0]);
});

test('of a grant it ends with its own', () => {
  const events = [[granted(at(5), ['a']), granted(at(5), ['b', 'own', 'c'])]];
  expect(beside({ reservationId: 'own' }, ...events)).toEqual([2, 4]);
});

test('another tenant’s, another period’s and ends hold nothing of it', () => {
  const others = [
    granted(at(4), ['a'], { tenant: 'other' }),
    { change: 'released', tenant: 'acme', reservationId: 'x', at: at(4) } as const,
    granted(at(4), ['b']),
  ];
  const starts = new Map([['team', '2026-02-01T00:00:00Z']]);
  expect(beside({ starts }, others)).toEqual([0, 0]);
  expect(beside({}, others)).toEqual([1, 2]);
});
