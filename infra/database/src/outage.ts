/** SQLSTATE classes that speak of the server, not of the statement: connection, resources, operator and time limits, system, idle limit. */
const OUTAGE = /^(?:08|53|57|58|25P03)/;
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;
/** What pg says without a code. */
const LOST =
  /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout)/;

/** True when the database did not answer, as opposed to refusing what it was asked: the same request may succeed later. */
export const isOutage = (error: unknown): boolean => {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof message === 'string' && LOST.test(message)) return true;
  if (typeof code !== 'string') return false;
  return SQLSTATE.test(code) ? OUTAGE.test(code) : NETWORK.has(code);
};

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
