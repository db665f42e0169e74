import { parseInstant } from '@bursar/contracts';
import { field, organisationOf, type TraceFormat } from '../row.ts';

/** Azure LLM inference traces 2023 (one hour each): the code service at gpt-4o, the conversation service at gpt-4o-mini. */
export const azure: TraceFormat = {
  columns: ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'],
  calendar: true,
  rows: (records, stem) => {
    const model = stem.includes('conv') ? 'gpt-4o-mini' : 'gpt-4o';
    return records.map((record, index) => {
      const row = index + 1;
      return {
        row,
        // "2023-11-16 18:17:03.9799600", no zone given: read as UTC.
        at: parseInstant(`${field(record, 'TIMESTAMP', row).replace(' ', 'T')}Z`),
        meter: 'llm.tokens',
        quantities: { inputTokens: field(record, 'ContextTokens', row), outputTokens: field(record, 'GeneratedTokens', row) },
        dimensions: { provider: 'azure', model },
        ...organisationOf(row),
      };
    });
  },
};
