import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findNatsServer, type RunningServer, signal, startNats, startPostgres } from '@bursar/embedded';
import pg from 'pg';
import { UserError } from './options.ts';
import type { ChildSpec } from './supervised.ts';

/** A server of ours; `url` is known once its child has been ready. */
export type Infrastructure = Readonly<{ child: ChildSpec; url: () => string }>;

const OLDEST_POSTGRES = 15;
const STORAGE_CHECK_MS = 1_000;

export const postgresChild = (dataDir: string, port: number): Infrastructure => {
  let url = '';
  return {
    url: () => url,
    child: {
      name: 'postgres',
      label: 'postgres',
      stopSignal: 'SIGINT', // fast shutdown: nothing needs recovery at the next start
      graceMs: 20_000,
      start: async (spawned) => {
        const server = await startPostgres({
          dataDir: join(dataDir, 'postgres'),
          port,
          logFile: join(dataDir, 'logs', 'postgres.log'),
          spawned,
        });
        url = server.url;
        return server;
      },
    },
  };
};

export const natsChild = async (dataDir: string, port: number, say: (line: string) => void): Promise<Infrastructure> => {
  const binary = await findNatsServer(say);
  let url = '';
  return {
    url: () => url,
    child: {
      name: 'nats',
      label: 'nats',
      stopSignal: 'SIGTERM',
      graceMs: 10_000,
      start: async (spawned) => {
        const server = await startNats({
          dataDir: join(dataDir, 'nats'),
          port,
          binary,
          logFile: join(dataDir, 'logs', 'nats.log'),
          spawned,
        });
        url = server.url;
        endWithoutStorage(server, join(dataDir, 'nats', 'jetstream'), say);
        return server;
      },
    },
  };
};

/** nats-server does not notice that its files are gone: it answers, and stores nothing. Ended, it is started again, empty. */
const endWithoutStorage = ({ pid, exited }: RunningServer, storage: string, say: (line: string) => void): void => {
  const began = identityOf(storage);
  const timer = setInterval(() => {
    const now = identityOf(storage);
    // It may have made parts of it anew, so that there is one tells nothing.
    if (now === 'unreadable' || now === began) return;
    say(`nats: ${storage} is gone`);
    signal(pid, 'SIGKILL');
    clearInterval(timer);
  }, STORAGE_CHECK_MS);
  void exited.then(() => clearInterval(timer));
};

/** Tells a directory from another one of the same name. */
const identityOf = (path: string): string => {
  try {
    const { ino, birthtimeNs } = statSync(path, { bigint: true });
    return `${ino} ${birthtimeNs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'gone' : 'unreadable';
  }
};

/** Throws one line when the PostgreSQL that `variable` names cannot be used. */
export const checkPostgres = async (variable: string, url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number }>("SELECT current_setting('server_version_num')::int / 10000 AS version");
    const version = rows[0]?.version ?? 0;
    if (version < OLDEST_POSTGRES) throw new Error(`is PostgreSQL ${version}, at least ${OLDEST_POSTGRES} is needed`);
  } catch (error) {
    throw new UserError(`${variable} cannot be used (${reason(error)}): correct it, or unset it to have a PostgreSQL started`);
  } finally {
    await client.end().catch(() => {}); // never connected: nothing to close
  }
};

/** Throws one line when nothing that speaks NATS answers at `NATS_URL`. */
export const checkNats = async (url: string): Promise<void> => {
  for (const server of url.split(',')) {
    const { hostname, port } = new URL(server.includes('://') ? server : `nats://${server}`);
    if (await greets(hostname, Number(port || 4222))) return;
  }
  throw new UserError('NATS_URL cannot be used (no NATS server answers there): correct it, or unset it to have one started');
};

const greets = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(5_000, () => done(false));
    socket.once('data', (data) => done(data.toString('latin1').startsWith('INFO ')));
    socket.once('error', () => done(false));
  });

const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined || message.length > 0 ? (message.split('\n')[0] ?? '') : code;
};
