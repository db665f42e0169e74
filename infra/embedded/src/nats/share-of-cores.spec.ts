import { expect, test } from '@jest/globals';
import { shareOfCores } from './share-of-cores.js';

test.each([
  [1, '1'],
  [2, '1'],
  [3, '1'],
  [8, '4'],
])('of %i cores nats-server has %s', (cores, share) => expect(shareOfCores({}, cores)).toBe(share));

test('whoever says how many has so many', () => expect(shareOfCores({ GOMAXPROCS: '6' }, 2)).toBe('6'));
