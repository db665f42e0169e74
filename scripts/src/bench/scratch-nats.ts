import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, connectBus } from '@bursar/bus';
import { startNats } from '@bursar/embedded';
import { inTemporaryDirectory, whileOpen } from './cleanup.ts';

export type ScratchNats = Readonly<{ url: string; pid: number }>;

/** A nats-server of its own, empty: nobody else listens. Its log and credentials lie in the directory that goes with it. */
export const withNats = <T>(work: (nats: ScratchNats) => Promise<T>): Promise<T> =>
  inTemporaryDirectory(async (directory) => {
    const server = await startNats({ dataDir: join(directory, 'nats'), dieWithParent: true });
    return whileOpen(
      () => server.stop(),
      () => work(server),
    );
  });

/** Connected, its streams made. */
export const readyBus = async (url: string, name: string): Promise<Bus> => {
  const bus = await connectBus({ url, name });
  while (!bus.connected) await delay(1);
  await bus.ensureStreams();
  return bus;
};
