import type { Delivery } from './delivery.js';

/** Where a durable consumer's messages come from, until it ends. What has arrived is held until it is taken. */
export interface Source {
  /** Arrived and not taken. */
  readonly held: Readonly<{ messages: number; bytes: number }>;
  /** Nothing more will arrive, and why; null while something may. */
  readonly ended: string | null;
  /** At least one if there is one, then as many as fit. */
  take(messages: number, bytes: number): readonly Delivery[];
  /** Starts the time to acknowledge anew for all that is held. */
  keepAlive(): void;
  /** Asks for no more and gives back what is held. */
  close(): Promise<void>;
}

/** How many messages a batch may have, their bytes, and how long its first one waits for company. */
export type BatchLimits = Readonly<{ messages: number; bytes: number; lingerMs: number }>;
