import type { CheckResult, Readiness } from './readiness.js';

export type Health = Readonly<{ status: number; body: string }>;

/** The event loop turns: that is all liveness may say, or an outage of the database restarts every process. */
export const livez = (): Health => ({ status: 200, body: '{"status":"ok"}' });

export const readyz = async (readiness: Readiness): Promise<Health> => {
  const checks = await readiness.results();
  const ok = checks.every((check: CheckResult) => check.ok);
  return { status: ok ? 200 : 503, body: JSON.stringify({ status: ok ? 'ready' : 'not_ready', checks }) };
};
