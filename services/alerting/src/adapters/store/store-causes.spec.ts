import { expect, test } from '@jest/globals';
import { StoreCauses } from './store-causes.js';

/** A store of 10,000 events recorded at `stored <position>`. */
const opened = () => {
  const asked: (readonly number[])[] = [];
  const causes = new StoreCauses({
    recordedTimes: async (_partition, positions) => {
      asked.push(positions);
      return positions.map((position) => (position > 10_000 ? null : `stored ${position}`));
    },
  });
  return { causes, asked };
};

test('all causes of a batch are asked for at once, each of them once', async () => {
  const { causes, asked } = opened();
  expect(await causes.recordedAt(0, [5, 6, 5])).toEqual(
    new Map([
      [5, 'stored 5'],
      [6, 'stored 6'],
    ]),
  );
  expect(asked).toEqual([[5, 6]]);
});

test('a cause that is not there is none, and nothing is asked for nothing', async () => {
  const { causes, asked } = opened();
  expect(await causes.recordedAt(0, [20_000])).toEqual(new Map());
  expect(await causes.recordedAt(0, [])).toEqual(new Map());
  expect(asked).toEqual([[20_000]]);
});
