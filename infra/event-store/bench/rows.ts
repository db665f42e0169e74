import { hash } from 'node:crypto';
import { canonicalJson, contentHash, derivedId } from '@bursar/contracts';
import type { NewRow } from '../dist/decide-group.js';

export type Row = NewRow;

const META = JSON.stringify({ tenant: 'bench', actor: 'key_01HZXW5J8N3V', via: 'http', correlationId: 'req-7f3a9c' });

/** Usage of about 310 bytes of data and 85 of metadata, in groups of so many rows. */
export const rowsOf = (events: number, size: number, stream: string): readonly (readonly Row[])[] => {
  const run = hash('sha1', String(events), 'hex').slice(0, 6);
  const rows = Array.from({ length: events }, (_, n): Row => {
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
    return {
      id: derivedId('usage', 'bench', usage.id),
      type: 'UsageRecorded',
      version: 1,
      data: canonicalJson(usage),
      meta: META,
      contentHash: contentHash(usage),
      stream,
      position: n + 1,
      revision: n,
    };
  });
  return Array.from({ length: Math.ceil(events / size) }, (_, n) => rows.slice(n * size, (n + 1) * size));
};
