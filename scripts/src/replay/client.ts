import { setTimeout as delay } from 'node:timers/promises';

/** Where to send and as whom, from `run.json`. */
export type Target = Readonly<{ apiUrl: string; adminApiKey: string; tenant: string }>;
export type Answer = Readonly<{ status: number; body: unknown; position: string | null }>;

const RETRYABLE = new Set([408, 425, 429, 500, 502, 503, 504]);
const GIVE_UP_AFTER_MS = 120_000;

/**
 * One request, repeated while the other side is away: every request of a replay is safe to repeat, because events carry their ids.
 * Throws after two minutes without an answer, naming the last failure.
 */
export const request = async (target: Target, method: string, path: string, body?: unknown): Promise<Answer> => {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    const outcome = await attempt(target, method, path, body);
    if (typeof outcome !== 'string' && !RETRYABLE.has(outcome.status)) return outcome;
    const why = typeof outcome === 'string' ? outcome : `HTTP ${outcome.status}`;
    if (performance.now() > giveUpAt) throw new Error(`${method} ${path}: no answer for two minutes, last ${why}`);
    await delay(pauseMs);
  }
};

const attempt = async (target: Target, method: string, path: string, body: unknown): Promise<Answer | string> => {
  try {
    const response = await fetch(`${target.apiUrl}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${target.adminApiKey}`,
        'bursar-tenant': target.tenant,
        prefer: 'wait=10',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text), position: response.headers.get('bursar-position') };
  } catch (error) {
    return error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
  }
};

/** Throws with the problem's own sentence unless the status is one of those expected. */
export const expectStatus = (what: string, answer: Answer, ...expected: readonly number[]): Answer => {
  if (expected.includes(answer.status)) return answer;
  const { detail } = (answer.body ?? {}) as { detail?: unknown };
  throw new Error(`${what}: HTTP ${answer.status}${typeof detail === 'string' ? `, ${detail}` : ''}`);
};
