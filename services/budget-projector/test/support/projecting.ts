import { afterAll, beforeAll } from '@jest/globals';
import { type Projector, Projectors } from './processes.js';
import { type Real, real } from './real.js';

/** What a file of tests runs against: one real store, and projectors as processes of their own. Not there before its first test. */
export type Projecting = Readonly<{
  at: Real;
  projectors: Projectors;
  /** Those that are asked: a test that ends one puts another in its place. */
  running: Projector[];
  /** The first of them. */
  one: Projector;
}>;

/** Starts so many before the file's first test, with leases of a second, and ends them and whatever else was started after its last. */
export const projecting = (count: number): Projecting => {
  let begun: Omit<Projecting, 'one'> | null = null;
  const now = (): Omit<Projecting, 'one'> => {
    if (begun === null) throw new Error('nothing is started before the first test');
    return begun;
  };
  beforeAll(async () => {
    const at = await real();
    const projectors = new Projectors(at, { PARTITION_LEASE_MS: '1000' });
    const running: Projector[] = [];
    begun = { at, projectors, running };
    for (let n = 0; n < count; n += 1) running.push(await projectors.start());
  });
  afterAll(async () => {
    begun?.projectors.killAll();
    await begun?.at.close();
  });
  return {
    get at() {
      return now().at;
    },
    get projectors() {
      return now().projectors;
    },
    get running() {
      return now().running;
    },
    get one() {
      const [first] = now().running;
      if (first === undefined) throw new Error('no projector runs');
      return first;
    },
  };
};
