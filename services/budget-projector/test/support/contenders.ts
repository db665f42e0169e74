import { type LedgerEvent, parsePicos } from '@bursar/contracts';
import { ADMIN_KEY } from './processes.js';
import { TENANT } from './world.js';

export type Answered = Readonly<{ status: number; headers: Headers; body: Readonly<Record<string, string>> }>;

/** On a machine that is busy with much else. */
const PATIENCE_MS = 120_000;

/** Asks as a client that does not give up: at any of the addresses, again while it is told to, with the same body. */
export const insist = async (urls: () => readonly string[], method: string, path: string, body?: object): Promise<Answered> => {
  const deadline = Date.now() + PATIENCE_MS;
  let last = '';
  for (let attempt = 0; Date.now() < deadline; attempt += 1) {
    const all = urls();
    const answer = await once(all[attempt % all.length] ?? '', method, path, body);
    // 408: it was frozen before it had all of the request.
    if (answer !== null && answer.status !== 503 && answer.status !== 408) return answer;
    last = answer?.body.code ?? 'silence';
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${method} ${path}: nobody decided it: ${last}`);
};

const once = async (url: string, method: string, path: string, body?: object): Promise<Answered | null> => {
  try {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        'bursar-tenant': TENANT,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(8_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  } catch {
    return null; // it is dead or frozen: somebody else is asked
  }
};

/** Runs so many jobs, at most `width` at a time; each gets its number. */
export const inParallel = async <T>(count: number, width: number, job: (n: number) => Promise<T>): Promise<readonly T[]> => {
  const results: T[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let n = next++; n < count; n = next++) results[n] = await job(n);
    }),
  );
  return results;
};

/** What one path's reservations came to, told again from the ledger alone, in whole numbers. */
export type Told = Readonly<{
  spend: bigint;
  /** Still held at the end. */
  held: bigint;
  /** The most that spend and holds ever were together. */
  most: bigint;
  granted: number;
}>;

/** Every reservation and usage of the events is on the same budgets, in their currency. */
export const tell = (events: readonly LedgerEvent[], ofScope: string): Told => {
  const open = new Map<string, bigint>();
  let [spend, held, most, granted] = [0n, 0n, 0n, 0];
  const free = (id: string): void => {
    held -= open.get(id) ?? 0n;
    open.delete(id);
  };
  for (const event of events) {
    if (event.type === 'UsageRecorded' && event.data.scopes.includes(ofScope)) {
      if (event.data.reservationId !== undefined) free(event.data.reservationId);
      spend += parsePicos(event.data.cost?.amount ?? '0');
    }
    for (const change of event.type === 'HoldsChanged' ? event.data.changes : []) {
      if (change.change !== 'granted') free(change.reservationId);
      else if (change.terms.path.includes(ofScope)) {
        for (const id of change.reservationIds) {
          if (open.has(id)) continue;
          open.set(id, parsePicos(change.terms.amount));
          held += parsePicos(change.terms.amount);
          granted += 1;
        }
      }
    }
    if (spend + held > most) most = spend + held;
  }
  return { spend, held, most, granted };
};
