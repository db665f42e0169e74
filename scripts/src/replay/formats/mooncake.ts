import { NS_PER_MS } from '@bursar/contracts';
import { field, type TraceFormat } from '../row.ts';

/** Mooncake (Kimi conversations, one hour): a user is the prefix root mod 50. */
export const mooncake: TraceFormat = {
  columns: ['timestamp_ms', 'input_tokens', 'output_tokens', 'prefix_root', 'prefix_blocks', 'last_block'],
  calendar: false,
  rows: (records) =>
    records.map((record, index) => {
      const row = index + 1;
      return {
        row,
        at: BigInt(field(record, 'timestamp_ms', row)) * NS_PER_MS,
        scopes: [`user:user-${String(Number(field(record, 'prefix_root', row)) % 50).padStart(2, '0')}`],
        meter: 'llm.tokens',
        quantities: { inputTokens: field(record, 'input_tokens', row), outputTokens: field(record, 'output_tokens', row) },
        // The trace names no model; this is the one of its operator that the shipped price list knows.
        dimensions: { provider: 'moonshot', model: 'moonshot/kimi-k2-0711-preview' },
        parents: {},
      };
    }),
};
