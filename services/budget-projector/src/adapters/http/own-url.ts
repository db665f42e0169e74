import type { Server } from 'node:http';
import { hostname } from 'node:os';

const ANY = new Set(['0.0.0.0', '::']);

/** Where this process listens, as others on its network reach it; null: it does not yet. */
export const ownUrl = (server: Pick<Server, 'address'>, host: string): string | null => {
  const address = server.address();
  if (address === null || typeof address === 'string') return null;
  const name = ANY.has(host) ? hostname() : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${address.port}`;
};
