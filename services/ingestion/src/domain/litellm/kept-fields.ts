import { InexactNumber } from '@bursar/contracts';
import { type Fields, fieldsOf, labelOf, own } from './fields.js';

const TEXT = 512;

const RECORD = [
  ...['id', 'call_id', 'trace_id', 'call_type', 'status', 'custom_llm_provider', 'model', 'model_group', 'end_user', 'cache_hit'],
  ...['response_cost', 'cost', 'prompt_tokens', 'completion_tokens', 'total_tokens', 'startTime', 'endTime'],
];
const METADATA = ['hash', 'org_id', 'team_id', 'project_id', 'user_id', 'end_user_id'].map((name) => `user_api_key_${name}`);
const NOTICE = [
  ...['event', 'event_group', 'event_message', 'spend', 'max_budget', 'soft_budget', 'token', 'customer_id', 'user_id', 'team_id'],
  ...['team_alias', 'organization_id', 'key_alias', 'projected_exceeded_date', 'projected_exceeded_data', 'projected_spend'],
];

/** What is kept of a record in quarantine: an allow-list, so that no prompt, answer, header or address is ever stored. */
export const keptOfRecord = (value: unknown): Record<string, unknown> => {
  const record = fieldsOf(value);
  const metadata = pick(fieldsOf(own(record, 'metadata')), METADATA);
  return { ...pick(record, RECORD), ...(Object.keys(metadata).length > 0 && { metadata }) };
};

/** What is kept of a notice of the budget webhook; without e-mail addresses. */
export const keptOfNotice = (body: Fields): Record<string, unknown> => pick(body, NOTICE);

const pick = (fields: Fields, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = plain(own(fields, name));
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** Numbers as the text they came in, since JSON may not keep them. */
const plain = (value: unknown): unknown => {
  if (value instanceof InexactNumber) return value.source.slice(0, TEXT);
  if (typeof value === 'number') return String(value);
  return typeof value === 'boolean' ? value : labelOf(value, TEXT);
};
