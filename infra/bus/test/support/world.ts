import { createPool, migrate, type Pool } from '@bursar/database';
import { type TestDatabase, type TestNats, testDatabase, testNats } from '@bursar/embedded';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { type Bus, connectBus } from '../../src/bus.js';
import { eventually } from './events.js';

export const PARTITIONS = 4;

/** A real PostgreSQL database, a real nats-server, and whatever was opened on them, all closed at the end. */
export class World {
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly nats: TestNats,
    readonly pool: Pool,
  ) {}

  static async make(): Promise<World> {
    const [database, nats] = await Promise.all([testDatabase(), testNats()]);
    await migrate(database.url);
    return new World(database, nats, createPool(database.url, { name: 'test', max: 4 }));
  }

  async store(): Promise<EventStore> {
    const store = await createEventStore(this.database.url, { partitions: PARTITIONS });
    this.onEnd(() => store.close());
    return store;
  }

  /** Connected, its streams made. */
  async bus(name = 'test'): Promise<Bus> {
    const bus = await connectBus({ url: this.nats.url, name });
    this.onEnd(() => bus.close());
    await eventually('the bus connected', () => bus.connected);
    await bus.ensureStreams();
    await eventually('the streams were made', () => bus.problems.length === 0);
    return bus;
  }

  onEnd(close: () => Promise<void>): void {
    this.#closers.unshift(close);
  }

  async end(): Promise<void> {
    for (const close of this.#closers) await close();
    await this.pool.end();
    await Promise.all([this.nats.stop(), this.database.drop()]);
  }
}
