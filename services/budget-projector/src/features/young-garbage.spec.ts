import { describe, expect, test } from '@jest/globals';
import { YoungGarbage } from './young-garbage.js';

const MB = 1024 * 1024;

const heap = () => {
  const state = { used: 100 * MB, collections: 0 };
  const collect = (): void => {
    state.collections += 1;
    state.used -= 10 * MB;
  };
  return { state, garbage: new YoungGarbage(collect, () => state.used) };
};

describe('YoungGarbage', () => {
  test('is collected each time that enough has gathered', () => {
    const { state, garbage } = heap();
    garbage.collectIfGrown();
    state.used += 11 * MB;
    garbage.collectIfGrown();
    expect(state.collections).toBe(0);
    state.used += MB;
    garbage.collectIfGrown();
    garbage.collectIfGrown();
    expect(state.collections).toBe(1);
    state.used += 12 * MB;
    garbage.collectIfGrown();
    expect(state.collections).toBe(2);
  });

  test('counts from what was left when node collected by itself', () => {
    const { state, garbage } = heap();
    garbage.collectIfGrown();
    state.used -= 50 * MB;
    garbage.collectIfGrown();
    state.used += 12 * MB;
    garbage.collectIfGrown();
    expect(state.collections).toBe(1);
  });

  test('is left to node where the process cannot collect it', () => {
    let looks = 0;
    const garbage = new YoungGarbage(null, () => {
      looks += 1;
      return looks * 100 * MB;
    });
    garbage.collectIfGrown();
    garbage.collectIfGrown();
    expect(looks).toBe(0);
  });
});
