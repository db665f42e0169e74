import { NS_PER_SECOND } from '@bursar/contracts';
import { field, type TraceFormat } from '../row.ts';

/** BurstGPT: a user is a session (API calls have none), a team the first hex digit of the session mod 4. */
export const burstgpt: TraceFormat = {
  columns: ['timestamp_s', 'session', 'elapsed_s', 'model', 'request_tokens', 'response_tokens', 'log_type'],
  calendar: false,
  rows: (records) =>
    records.map((record, index) => {
      const row = index + 1;
      const session = field(record, 'session', row);
      const user = `user:${session === '' ? 'svc-api' : session}`;
      const team = `team:${session === '' ? 'team-api' : `team-${Number.parseInt(session.charAt(0), 16) % 4}`}`;
      return {
        row,
        at: BigInt(field(record, 'timestamp_s', row)) * NS_PER_SECOND,
        scopes: [user],
        meter: 'llm.tokens',
        quantities: { inputTokens: field(record, 'request_tokens', row), outputTokens: field(record, 'response_tokens', row) },
        dimensions: { provider: 'openai', model: field(record, 'model', row) === 'GPT-4' ? 'gpt-4' : 'gpt-3.5-turbo' },
        parents: { [user]: [team] },
      };
    }),
};
