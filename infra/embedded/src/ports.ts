import { createServer } from 'node:net';

/** True when a listener can be opened on 127.0.0.1:port right now. */
export const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

const FIRST = 15_000;
const LAST = 32_000;

/**
 * A free TCP port below the ephemeral range (32768 and up on Linux), so that no outgoing connection can
 * take it while the server behind it restarts.
 */
export const freePort = async (except: ReadonlySet<number> = new Set()): Promise<number> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (!except.has(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${LAST} on 127.0.0.1`);
};
