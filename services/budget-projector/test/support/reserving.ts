import { ask, send } from './enforcement.js';
import type { Projecting } from './projecting.js';
import { eventually } from './real.js';

/** What a client asks about reservations, of the first projector of a run. */
export const reserving = (run: Projecting) => {
  const find = (id: string) => send(run.one.url, 'GET', `/reservations/${encodeURIComponent(id)}`);
  return {
    find,
    reserve: (scope: string, amount: string, position?: number, more: object = {}) =>
      ask(run.one.url, '/reservations', { scopes: [scope], amount, ...more }, position),
    release: (id: string) => send(run.one.url, 'DELETE', `/reservations/${encodeURIComponent(id)}`),
    check: (scope: string, amount: string, position?: number) => ask(run.one.url, '/check', { scopes: [scope], amount }, position),
    /** Waits until the reservation is that. */
    status: (id: string, is: string) =>
      eventually(
        () => find(id),
        ({ body }) => body.status === is,
      ),
  };
};
