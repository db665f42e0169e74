import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Coverage } from './coverage.js';

describe('coverage of the ledger', () => {
  test('knows no hole where nothing is known', () => {
    expect(new Coverage().hole(0, 10)).toBeNull();
  });

  test.each([
    ['all of it', [], { after: 0, through: 10 }],
    ['the tail', [[1, 4]], { after: 4, through: 10 }],
    ['the front', [[3, 10]], { after: 0, through: 2 }],
    [
      'the middle',
      [
        [1, 3],
        [7, 10],
      ],
      { after: 3, through: 6 },
    ],
    [
      'nothing, in any order',
      [
        [7, 10],
        [4, 6],
        [1, 3],
      ],
      null,
    ],
    [
      'nothing, overlapping',
      [
        [4, 10],
        [1, 6],
      ],
      null,
    ],
    [
      'nothing, twice',
      [
        [1, 10],
        [1, 10],
      ],
      null,
    ],
    [
      'nothing that was asked about',
      [
        [1, 10],
        [12, 13],
      ],
      null,
    ],
  ])('misses %s', (_, ranges, hole) => {
    const coverage = new Coverage();
    coverage.start(0, 0);
    for (const [first = 0, last = 0] of ranges) coverage.cover(0, first, last);
    expect(coverage.hole(0, 10)).toEqual(hole);
  });

  test('its first hole is that of a plain set, whatever came in whatever order', () => {
    const ranges = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(6)).map(([first, more]) => ({ first, last: first + more })),
      { maxLength: 15 },
    );
    fc.assert(
      fc.property(ranges, fc.nat(5), fc.integer({ min: 1, max: 30 }), (all, from, through) => {
        const coverage = new Coverage();
        coverage.start(0, from);
        const seen = new Set(Array.from({ length: from }, (_, index) => index + 1));
        for (const { first, last } of all) {
          coverage.cover(0, first, last);
          for (let position = first; position <= last; position += 1) seen.add(position);
        }
        let after = 0;
        while (seen.has(after + 1)) after += 1;
        let end = after;
        while (end < through && !seen.has(end + 1)) end += 1;
        expect(coverage.hole(0, through)).toEqual(after >= through ? null : { after, through: end });
      }),
    );
  });
});
