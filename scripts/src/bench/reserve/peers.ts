import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pool } from 'pg';
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import { type CallerFigures, callers } from '../append-ours.ts';
import { inFreshDatabase } from '../bench-database.ts';
import { whileOpen } from '../cleanup.ts';
import { luaClient, reserveByLua } from './redis-lua.ts';

export const CALLERS = 64;
/** Calls that are not timed, first, of ours and of its peers alike: a process that has just begun is still being compiled. */
export const WARM_UP = 38_400;

/** Reservations by Lua straight from this process. */
export const redisReserves = async (port: number, appends: number): Promise<CallerFigures> => {
  const client = await luaClient(port);
  try {
    return await callers({ appends, callers: CALLERS, warmUp: WARM_UP }, () => reserveByLua(client));
  } finally {
    client.disconnect();
  }
};

/** rate-limiter-flexible on PostgreSQL: one counter that everybody wants. */
export const postgresLimiter = (serverUrl: string, appends: number): Promise<CallerFigures> =>
  inFreshDatabase(serverUrl, async (url) => {
    const pool = new Pool({ connectionString: url, max: 10 });
    try {
      const limiter = await new Promise<RateLimiterPostgres>((resolve, reject) => {
        const options = { storeClient: pool, points: 1_000_000_000, duration: 3_600, tableName: 'limits', keyPrefix: 'b' };
        const made: RateLimiterPostgres = new RateLimiterPostgres(options, (error?: Error) => (error ? reject(error) : resolve(made)));
      });
      return await callers({ appends, callers: CALLERS }, () => limiter.consume('hot', 1));
    } finally {
      await pool.end();
    }
  });

/** The peer behind HTTP, in a process of its own; `redisPort`: with reservations. */
export const withHttpPeer = async <T>(redisPort: number | null, work: (url: string) => Promise<T>): Promise<T> => {
  const file = join(import.meta.dirname, 'http-peer.ts');
  const child = spawn(process.execPath, [file, ...(redisPort === null ? [] : [String(redisPort)])], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  return whileOpen(
    () => end(child),
    async () => {
      const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      return work(`http://127.0.0.1:${port}`);
    },
  );
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
};
