import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, signal, until } from '@bursar/embedded';
import { type RunFile, readState } from '../up/files.ts';
import { administer } from './nats-admin.ts';

/** What can go wrong with NATS, done to what `scripts/up` runs in a data directory with a NATS of its own. */
export type NatsFault = Readonly<{
  name: string;
  /** What JetStream had stored, and nobody had taken over yet, is gone. */
  losesMessages: boolean;
  /** Resolves when the fault is over: NATS answers again. What services make of it is not waited for. */
  inflict(): Promise<void>;
}>;

export type NatsFaultOptions = Readonly<{
  dataDir: string;
  /** How long NATS stays away, ms. */
  downMs: number;
}>;

const BACK_WITHIN_MS = 30_000;
const ATTEMPTS = 20;

/** Every fault of NATS. The first one takes the copy that another restores. */
export const natsFaults = ({ dataDir, downMs }: NatsFaultOptions): readonly NatsFault[] => {
  const storage = join(dataDir, 'nats');
  const copy = join(dataDir, 'nats.copy');
  const empty = (): void => {
    mkdirSync(storage, { recursive: true });
    for (const name of readdirSync(storage)) rmSync(join(storage, name), { recursive: true, force: true });
  };
  const takeCopy = (): void => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(storage, copy, { recursive: true });
  };
  const fault = (name: string, losesMessages: boolean, inflict: () => Promise<void>): NatsFault => ({ name, losesMessages, inflict });
  return [
    fault('killed, and down for a while', false, () =>
      whileNatsIsDown(dataDir, async () => {
        takeCopy();
        await delay(downMs);
      }),
    ),
    fault('stopped without a word (SIGSTOP)', false, async () => {
      const pid = natsPid(dataDir);
      signal(pid, 'SIGSTOP');
      await delay(downMs);
      signal(pid, 'SIGCONT');
    }),
    fault('wiped while it was down', true, () => whileNatsIsDown(dataDir, async () => empty())),
    fault('back with an older copy of its data', true, async () => {
      if (!existsSync(copy)) await whileNatsIsDown(dataDir, async () => takeCopy());
      await whileNatsIsDown(dataDir, async () => {
        empty();
        cpSync(copy, storage, { recursive: true });
      });
    }),
    fault('its files cut short', true, () => whileNatsIsDown(dataDir, async () => cutShort(storage))),
    fault('its streams deleted', true, () =>
      administer(runOf(dataDir).natsUrl, async ({ streams }) => {
        for (const name of ['LEDGER', 'EVENTS', 'USAGE_INTAKE']) await streams.delete(name);
      }),
    ),
    fault('its consumers deleted', false, () =>
      administer(runOf(dataDir).natsUrl, async ({ streams, consumers }) => {
        for await (const { config } of streams.list())
          for await (const { name } of consumers.list(config.name)) await consumers.delete(config.name, name);
      }),
    ),
    fault('its consumers paused and changed', false, () =>
      administer(runOf(dataDir).natsUrl, async ({ consumers }) => {
        await consumers.update('USAGE_INTAKE', 'ingestion', { max_ack_pending: 1, filter_subject: 'usage.ingest.nobody' });
        await consumers.pause('USAGE_INTAKE', 'ingestion', new Date(Date.now() + 3_600_000));
      }),
    ),
    fault('its streams changed', true, () =>
      administer(runOf(dataDir).natsUrl, async ({ streams }) => {
        // Not so tight that it drops what nobody could have heard yet: no fan-out could bring that back under the same ids.
        await streams.update('EVENTS', { max_msgs: 1_000, max_age: 600_000_000_000 });
        await streams.update('USAGE_INTAKE', { max_bytes: 1_000_000 });
        // Whoever guards the streams may be faster than we are.
        for (let attempt = 1; ; attempt += 1) {
          await streams.delete('LEDGER').catch(() => false);
          try {
            await streams.add({ name: 'LEDGER', subjects: ['ledger.*'], retention: 'workqueue' });
            break;
          } catch (error) {
            if (attempt === ATTEMPTS) throw error;
          }
        }
      }),
    ),
    fault('its files deleted under it', true, async () => empty()),
  ];
};

/** As after a power cut: the end of every file of messages was not on disk yet. */
const cutShort = (storage: string): void => {
  for (const name of readdirSync(storage, { recursive: true, encoding: 'utf8' })) {
    const path = join(storage, name);
    if (name.endsWith('.blk')) truncateSync(path, Math.floor(statSync(path).size * 0.6));
    // JetStream's summary of the files would be as old.
    if (name.endsWith('index.db')) rmSync(path);
  }
};

const runOf = (dataDir: string): RunFile => {
  const run = readState(dataDir, 'run');
  if (run === undefined) throw new Error(`nothing runs on ${dataDir}`);
  return run;
};

const natsPid = (dataDir: string): number => {
  const pid = runOf(dataDir).infrastructure.find(({ name }) => name === 'nats')?.pid;
  if (pid === undefined) throw new Error('NATS is not one that scripts/up started');
  return pid;
};

/** Kills NATS and keeps it from being started again, by stopping who would, until `work` is done. Resolves when it is back. */
const whileNatsIsDown = async (dataDir: string, work: () => Promise<void>): Promise<void> => {
  const supervisor = readState(dataDir, 'lock')?.pid;
  if (supervisor === undefined) throw new Error(`nothing runs on ${dataDir}`);
  const pid = natsPid(dataDir);
  signal(supervisor, 'SIGSTOP');
  try {
    signal(pid, 'SIGKILL');
    if (!(await until(() => !isAlive(pid), 5_000))) throw new Error(`nats-server ${pid} does not die`);
    await work();
  } finally {
    signal(supervisor, 'SIGCONT');
  }
  const isBack = async () => natsPid(dataDir) !== pid && (await answers(dataDir));
  if (!(await until(isBack, BACK_WITHIN_MS, 50))) throw new Error(`nats-server is not back after ${BACK_WITHIN_MS / 1000} s`);
};

const answers = (dataDir: string): Promise<boolean> =>
  administer(runOf(dataDir).natsUrl, async ({ streams }) => {
    await streams.names().next();
  }).then(
    () => true,
    () => false,
  );
