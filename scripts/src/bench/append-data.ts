import { hash } from 'node:crypto';
import { canonicalJson, contentHash, derivedId } from '@bursar/contracts';
import type { EventToAppend } from '@bursar/event-store';

export const TYPE = 'UsageRecorded';
const META = JSON.stringify({ tenant: 'bench', actor: 'key_01HZXW5J8N3V', via: 'http', correlationId: 'req-7f3a9c' });

/** Usage as ingestion stores it: about 305 bytes of data and 78 of metadata, ids and hashes ready, so that only the append is timed. */
export const usageEvents = (run: string, count: number): readonly EventToAppend[] =>
  Array.from({ length: count }, (_, n) => {
    const usage = {
      id: `${run}-${n}`,
      source: 'gateway/eu-1',
      occurredAt: '2026-11-25T10:00:00.123Z',
      scopes: [`user:u${n % 500}`, `agent:writer-${n % 20}`],
      meter: 'llm.tokens',
      quantities: { inputTokens: String(900 + (n % 700)), outputTokens: String(100 + (n % 90)) },
      dimensions: { provider: 'openai', model: 'gpt-4o-mini', region: 'eu-west-1' },
      cost: { amount: `0.00${(n % 89) + 10}`, currency: 'USD' },
    };
    const id = derivedId('usage', 'bench', usage.source, usage.id);
    return { id, type: TYPE, version: 1, data: canonicalJson(usage), meta: META, contentHash: contentHash(usage) };
  });

/** Random ids without content of interest, for single-event callers. */
export const smallEvent = (seed: string): EventToAppend => {
  const data = JSON.stringify({ seed, amount: '0.0125' });
  return { id: derivedId(seed), type: TYPE, version: 1, data, meta: META, contentHash: hash('sha256', data, 'buffer') };
};
