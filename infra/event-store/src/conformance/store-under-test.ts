import type { EventStore } from '../port.js';

/** A change that nobody may make to what is stored, made behind the store's back. */
export type Tampering =
  | Readonly<{ what: 'data' | 'meta' | 'type' | 'content hash' | 'id' | 'recordedAt'; position: number }>
  | Readonly<{ what: 'remove'; position: number }>
  | Readonly<{ what: 'swap'; position: number; with: number }>;

/** An adapter with what the suite needs to see it fail. Nothing is optional: no adapter may pass by leaving a case out. */
export type StoreUnderTest = Readonly<{
  store: EventStore;
  /** Another instance on the same data, as another process would have. The suite closes it. */
  open(): Promise<EventStore>;
  /** From now on the store's clock is off by so much. */
  shiftClock(ms: number): Promise<void>;
  /** Breaks every connection of every instance, whatever it is doing. */
  breakConnections(): Promise<void>;
  tamper(partition: number, how: Tampering): Promise<void>;
  /** Closes the store and removes its data. */
  close(): Promise<void>;
}>;

/** Partitions that an adapter under test is opened with: every case has one to itself, and the last is free. */
export const CONFORMANCE_PARTITIONS = 64;

export type Case = Readonly<{
  title: string;
  run: (context: CaseContext) => Promise<void>;
}>;

export type CaseContext = Readonly<{
  subject: StoreUnderTest;
  store: EventStore;
  /** Empty, and used by no other case. */
  partition: number;
  /** A stream name of this case only. */
  stream: (name?: string) => string;
}>;
