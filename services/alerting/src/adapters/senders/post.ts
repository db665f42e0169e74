import { type Call, type Outgoing, readRetryAfter } from '@bursar/outgoing';
import { outcomeOfStatus } from '../../domain/delivery/outcome-of-answer.js';
import type { SendOutcome } from '../../domain/delivery/settle.js';

/** One POST to a target that a tenant named. What the network did is not told apart: an attempt list must not be a port scan. */
export type Post = (call: Call, timeoutMs: number) => Promise<SendOutcome>;

const NO_ANSWER = 'No valid answer: unknown name, no connection, a bad certificate, or later than the time limit';

export const postWith =
  (outgoing: Outgoing): Post =>
  async (call, timeoutMs) => {
    const outcome = await outgoing.post(call, timeoutMs);
    switch (outcome.kind) {
      case 'answered':
        return outcomeOfStatus(outcome.status, readRetryAfter(outcome.retryAfter, Date.now()));
      case 'refused':
        return { outcome: 'refused', status: null, detail: outcome.reason };
      case 'no_answer':
        return { outcome: 'no_answer', status: null, detail: NO_ANSWER };
    }
  };
