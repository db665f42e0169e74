export type EventStoreOptions = Readonly<{
  /** P, fixed when the schema is made: another number later is refused. */
  partitions: number;
  /** Shown in pg_stat_activity. */
  name?: string;
  /** Connections for appends: one per busy partition, at most these. */
  writers?: number;
  /** Connections for everything else. */
  readers?: number;
  /** One append transaction holds at most this many events … */
  groupEvents?: number;
  /** … and about this many bytes, unless one request alone is bigger. Kept below the bus's 512 KB per range. */
  groupBytes?: number;
  /** What may wait to be stored before `StoreOverloadedError`. */
  queuedEvents?: number;
  queuedBytes?: number;
  /** How long an append may wait for its turn before `StoreUnavailableError`; nothing of it is stored then. */
  queueMs?: number;
  /** How long a request to the server may stay unanswered before the connection is given up. */
  replyTimeoutMs?: number;
  connectTimeoutMs?: number;
  /** Told of what was survived: a retried append, a lost connection. */
  warn?: (message: string, error: unknown) => void;
}>;

export type StoreSettings = Required<EventStoreOptions>;

export const settingsOf = (options: EventStoreOptions): StoreSettings => ({
  partitions: options.partitions,
  name: options.name ?? 'bursar-event-store',
  writers: options.writers ?? 4,
  readers: options.readers ?? 4,
  groupEvents: options.groupEvents ?? 500,
  groupBytes: options.groupBytes ?? 400 * 1024,
  queuedEvents: options.queuedEvents ?? 20_000,
  queuedBytes: options.queuedBytes ?? 64 * 1024 * 1024,
  queueMs: options.queueMs ?? 5_000,
  replyTimeoutMs: options.replyTimeoutMs ?? 8_000,
  connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
  warn: options.warn ?? (() => {}),
});
