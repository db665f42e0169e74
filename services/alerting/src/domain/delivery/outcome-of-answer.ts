import type { SendOutcome } from './settle.js';

/** What an HTTP status says of an attempt. Redirects are not followed, so they deliver nothing. */
export const outcomeOfStatus = (status: number, retryAfterS: number | null): SendOutcome => {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status, detail: null };
  const detail = status >= 300 && status < 400 ? 'The target redirects, which is not followed' : null;
  return { outcome: 'failed', status, detail, retryAfterS };
};
