import { expect } from '@jest/globals';
import { type AppendResult, type EventStore, type EventToAppend, StoreUnavailableError } from '../../port.js';
import { append, events, outcomesOf, readAll, upTo } from '../events.js';
import type { Case } from '../store-under-test.js';

const CALLERS = 16;
const ROUNDS = 12;
const FAULTS = 20;
const EVENTS_BETWEEN_BREAKS = 40;

export const failures: readonly Case[] = [
  {
    title: 'connections broken in the middle of appends: retried with the same ids, nothing is lost or doubled',
    run: async ({ subject, store, partition, stream }) => {
      const told = new Map<string, number>();
      let unknown = 0;
      let done = false;
      const persist = async (name: string, unit: readonly EventToAppend[]): Promise<AppendResult> => {
        for (;;) {
          try {
            return await store.append({ partition, stream: name, events: unit, expectedRevision: 'any' });
          } catch (error) {
            if (!(error instanceof StoreUnavailableError)) throw error;
            unknown += 1;
          }
        }
      };
      // Breaks again only after some progress, so that a slow machine is not kept from making any.
      const breaking = (async () => {
        for (let broken = 0; !done; broken = told.size) {
          await subject.breakConnections();
          while (!done && told.size < broken + EVENTS_BETWEEN_BREAKS) await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
      try {
        await Promise.all(
          Array.from({ length: CALLERS }, async (_, caller) => {
            // Goes on until the fault has surely fired.
            for (let round = 0; round < ROUNDS || unknown < FAULTS; round += 1) {
              const unit = events(1 + (round % 30));
              const outcomes = outcomesOf(await persist(stream(`${caller % 4}`), unit));
              outcomes.forEach((outcome, index) => {
                expect(outcome.status).not.toBe('conflict');
                told.set(unit[index]?.id ?? '', outcome.position);
              });
            }
          }),
        );
      } finally {
        done = true;
        await breaking;
      }
      const stored = await eventually(() => readAll(store, partition));
      expect(stored.map((each) => each.position)).toEqual(upTo(told.size));
      expect(new Map(stored.map((each) => [each.id, each.position]))).toEqual(told);
      expect(await eventually(() => store.verify(partition))).toBeNull();
    },
  },
  {
    title: 'after close nothing is accepted, what was accepted before is stored, and closing twice is no fault',
    run: async ({ subject, store, partition, stream }) => {
      const other: EventStore = await subject.open();
      const accepted = append(other, { partition, stream: stream(), events: events(3) });
      const closing = other.close();
      await expect(append(other, { partition, stream: stream(), events: events(1) })).rejects.toThrow(StoreUnavailableError);
      expect(await accepted).toHaveLength(3);
      await closing;
      await other.close();
      expect(await readAll(store, partition)).toHaveLength(3);
    },
  },
];

/** Idle connections that were broken too are only noticed by their next use. */
const eventually = async <T>(read: () => Promise<T>): Promise<T> => {
  for (let tries = 0; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || tries === 10) throw error;
    }
  }
};
