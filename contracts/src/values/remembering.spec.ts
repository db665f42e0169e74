import { expect, jest, test } from '@jest/globals';
import { readOnce } from './read-once.js';
import { remembering } from './remembering.js';

test('asks once for each of the last few values', () => {
  const answer = jest.fn((of: bigint) => `${of}`);
  const text = remembering(answer, 2);
  expect([1n, 1n, 2n, 2n, 1n].map(text)).toEqual(['1', '1', '2', '2', '1']);
  expect(answer).toHaveBeenCalledTimes(2);
  text(3n);
  expect([text(3n), text(1n)]).toEqual(['3', '1']);
  expect(answer).toHaveBeenCalledTimes(4);
});

test('an answer that is undefined is remembered too', () => {
  const answer = jest.fn(() => undefined);
  const [few, once] = [remembering<number, undefined>(answer, 1), readOnce<object, undefined>(answer)];
  const object = {};
  for (let n = 0; n < 3; n += 1) expect([few(1), once(object)]).toEqual([undefined, undefined]);
  expect(answer).toHaveBeenCalledTimes(2);
});

test('each object is read once, and another like it again', () => {
  const read = jest.fn(({ amount }: { amount: string }) => BigInt(amount));
  const picos = readOnce(read);
  const one = { amount: '7' };
  expect([picos(one), picos(one), picos({ amount: '7' })]).toEqual([7n, 7n, 7n]);
  expect(read).toHaveBeenCalledTimes(2);
});
