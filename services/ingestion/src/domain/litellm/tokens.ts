import { countOf, type Fields, fieldsOf, own } from './fields.js';

/**
 * Token counts in the OpenTelemetry GenAI meaning, which is LiteLLM's too: the prompt includes what came from a cache. Parts that do not
 * fit into their whole are left out rather than refused: the whole is what is charged then.
 */
export const quantitiesOfRecord = (record: Fields, metadata: Fields): Readonly<Record<string, string>> => {
  const input = countOf(own(record, 'prompt_tokens')) ?? 0n;
  const output = countOf(own(record, 'completion_tokens')) ?? 0n;
  const total = countOf(own(record, 'total_tokens')) ?? 0n;
  if (input === 0n && output === 0n) return total === 0n ? {} : { totalTokens: String(total) };
  const usage = fieldsOf(own(metadata, 'usage_object'));
  const prompt = fieldsOf(own(usage, 'prompt_tokens_details'));
  const completion = fieldsOf(own(usage, 'completion_tokens_details'));
  const read = countOf(own(prompt, 'cached_tokens')) ?? countOf(own(usage, 'cache_read_input_tokens')) ?? 0n;
  const written = countOf(own(usage, 'cache_creation_input_tokens')) ?? 0n;
  const reasoning = countOf(own(completion, 'reasoning_tokens')) ?? 0n;
  const fits = read + written <= input;
  return texts({
    inputTokens: input,
    outputTokens: output,
    cacheReadTokens: fits ? read : 0n,
    cacheWriteTokens: fits ? written : 0n,
    reasoningTokens: reasoning <= output ? reasoning : 0n,
  });
};

const texts = (counts: Readonly<Record<string, bigint>>): Record<string, string> =>
  Object.fromEntries(Object.entries(counts).flatMap(([name, count]) => (count > 0n ? [[name, String(count)]] : [])));
