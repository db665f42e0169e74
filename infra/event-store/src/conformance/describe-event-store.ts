import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { appending } from './cases/appending.js';
import { chain } from './cases/chain.js';
import { clock } from './cases/clock.js';
import { concurrency } from './cases/concurrency.js';
import { expectations } from './cases/expectations.js';
import { failures } from './cases/failures.js';
import { idempotency } from './cases/idempotency.js';
import { model } from './cases/model.js';
import { reading } from './cases/reading.js';
import { selecting } from './cases/selecting.js';
import { subscriptions } from './cases/subscriptions.js';
import { type Case, CONFORMANCE_PARTITIONS, type StoreUnderTest } from './store-under-test.js';

const CASES: readonly Case[] = [
  ...appending,
  ...idempotency,
  ...expectations,
  ...reading,
  ...selecting,
  ...concurrency,
  ...model,
  ...clock,
  ...chain,
  ...subscriptions,
  ...failures,
];
/** Raised with every case added, so that none can be lost from the list above unnoticed. */
const CASE_COUNT = 60;
const TIMEOUT_MS = 60_000;

/**
 * What every event store promises, against the port alone. `create` opens an empty store of {@link CONFORMANCE_PARTITIONS}
 * partitions. An adapter passes all of it: there is no way to leave a case out, and the last test counts those that ran.
 */
export const describeEventStore = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`event store: ${name}`, () => {
    let subject: StoreUnderTest;
    let ran = 0;
    beforeAll(async () => {
      subject = await create();
    }, TIMEOUT_MS);
    afterAll(() => subject.close(), TIMEOUT_MS);

    CASES.forEach(({ title, run }, index) => {
      test(
        title,
        async () => {
          const stream = (suffix = 'a') => `case-${index}.${suffix}`;
          await run({ subject, store: subject.store, partition: index, stream });
          ran += 1;
        },
        TIMEOUT_MS,
      );
    });

    test('every case ran and passed', () => {
      expect(CASES).toHaveLength(CASE_COUNT);
      expect(CASES.length).toBeLessThan(CONFORMANCE_PARTITIONS);
      expect(new Set(CASES.map((each) => each.title)).size).toBe(CASE_COUNT);
      expect(ran).toBe(CASE_COUNT);
    });
  });
};
