import { InexactNumber, readReportedAmount, reportedText } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { readProxyTime } from './proxy-time.js';
import { readLogRecord } from './read-record.js';

const RECORD = {
  id: 'chatcmpl-1',
  call_type: 'acompletion',
  status: 'success',
  custom_llm_provider: 'openai',
  model: 'gpt-4o',
  startTime: 1_737_710_446.847371,
  endTime: 1_737_710_446.851954,
  response_cost: 0.000225,
  prompt_tokens: 10,
  completion_tokens: 20,
  total_tokens: 30,
  metadata: { user_api_key_team_id: 'ml', user_api_key_user_id: 'alice', user_api_key_hash: 'k1' },
};

const usageOf = (record: object): Record<string, unknown> => {
  const reading = readLogRecord(record);
  if (!reading.ok) throw new Error(`${reading.code}: ${reading.detail}`);
  return reading.usage;
};
const codeOf = (record: unknown): string | null => {
  const reading = readLogRecord(record);
  return reading.ok ? null : reading.code;
};
const metaOf = (record: object): Record<string, unknown> => (usageOf(record).metadata as { litellm: Record<string, unknown> }).litellm;

describe('a cost as a proxy writes it', () => {
  test.each([
    ['IN-L5 0.0008869999999999999', '0.000887'],
    ['IN-L5 1e-07', '0.0000001'],
    ['IN-L5 0.00022500000000000002', '0.000225'],
    ['IN-L5 2.5e-13', '0'],
    ['IN-L5 7.5e-13', '0.000000000001'],
    ['IN-L5 1.5e-12', '0.000000000002'],
    ['IN-L5 1E3', '1000'],
    ['IN-L5 0.0', '0'],
  ])('%s', (text, amount) => {
    const source = text.slice(6);
    const cost = readReportedAmount(new InexactNumber(source));
    if (cost === null || cost === 'not_a_number') throw new Error('no cost');
    expect([reportedText(cost), cost.original]).toEqual([amount, source]);
  });

  test.each([['NaN'], ['Infinity'], ['1e400'], ['0x10'], ['']])('%s is none', (text) => {
    expect(readReportedAmount(text)).toBe('not_a_number');
  });
});

test.each([
  ['IN-L10 float seconds', 1_737_710_446.847371, 1_737_710_446_847_371_000n],
  ['IN-L10 naive text is UTC', '2025-01-24 09:20:46.847371', 1_737_710_446_847_371_000n],
  ['IN-L10 with a zone', '2025-01-24T10:20:46.847371+01:00', 1_737_710_446_847_371_000n],
  ['IN-L10 nonsense', 'yesterday', null],
  ['IN-L10 no date', '2025-02-30 00:00:00', null],
])('%s', (_name, value, ns) => expect(readProxyTime(value)).toBe(ns));

describe('a log record', () => {
  test('is a usage event of its call', () => {
    expect(usageOf({ ...RECORD, messages: [{ content: 'secret' }], response: {} })).toEqual({
      id: 'chatcmpl-1:completion',
      source: 'litellm',
      occurredAt: '2025-01-24T09:20:46.847371Z',
      scopes: ['team:ml', 'user:alice', 'key:k1'],
      meter: 'llm.tokens',
      cost: { amount: '0.000225', currency: 'USD' },
      quantities: { inputTokens: '10', outputTokens: '20' },
      dimensions: { provider: 'openai', model: 'gpt-4o', callType: 'completion' },
      status: 'succeeded',
      metadata: { litellm: { responseCost: '0.000225' } },
    });
  });

  test.each([
    ['IN-L2 no cost and no tokens', { response_cost: undefined, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, 'no_cost'],
    ['IN-L2 two costs that differ', { cost: 0.5 }, 'exclusive'],
    ['IN-L2 two costs that agree', { cost: '0.000225' }, null],
    ['IN-L4 a negative cost', { response_cost: -0.01 }, 'negative'],
    ['IN-L4 minus a million', { response_cost: -1e6 }, 'negative'],
    ['IN-L4 minus next to nothing', { response_cost: new InexactNumber('-1e-30') }, 'negative'],
    ['a cost past every limit', { response_cost: new InexactNumber('1e30') }, 'too_large'],
    ['IN-L2 a cost that is none', { response_cost: 'None' }, 'amount_format'],
    ['IN-L10 end before start', { endTime: 1_737_710_445 }, 'order'],
    ['IN-L10 no start', { startTime: null }, 'time_format'],
  ])('%s', (_name, change, code) => expect(codeOf({ ...RECORD, ...change })).toBe(code));

  test.each([['text'], [null], [[]], [7], [{}]])('IN-L13 %j is no record', (value) => expect(codeOf(value)).toBe('wrong_type'));

  test('IN-L2 without a cost its tokens are rated', () => {
    const usage = usageOf({ ...RECORD, response_cost: null });
    expect([usage.cost, usage.quantities]).toEqual([undefined, { inputTokens: '10', outputTokens: '20' }]);
  });

  test('IN-L3 a cost of zero beside tokens is flagged, and may be rated anew', () => {
    const reading = readLogRecord({ ...RECORD, response_cost: 0 });
    expect(reading).toMatchObject({ ok: true, repriceable: true, usage: { metadata: { litellm: { zeroCost: true } } } });
  });

  test.each([
    ['IN-L19 a hit of the cache', { cache_hit: true, id: 'chatcmpl-1_cache_hit1737710446' }],
    ['IN-L9 a failure without cost', { status: 'failure' }],
  ])('%s costs zero and stays so', (_name, change) => {
    expect(readLogRecord({ ...RECORD, response_cost: 0, ...change })).toMatchObject({
      ok: true,
      repriceable: false,
      usage: { cost: { amount: '0' } },
    });
  });

  test('IN-L9 a failure with a part of its cost is counted', () => {
    expect(usageOf({ ...RECORD, status: 'failure' })).toMatchObject({ status: 'failed', cost: { amount: '0.000225' } });
  });

  test('IN-L6 without an id it is named by what it says', () => {
    const [first, again, other] = [{ id: null }, { id: '' }, { id: null, prompt_tokens: 11 }].map((change) =>
      usageOf({ ...RECORD, ...change }),
    );
    expect(first?.id).toMatch(/^sha256-[0-9a-f]{40}:completion$/);
    expect([again?.id, metaOf({ ...RECORD, id: null }).fallbackId]).toEqual([first?.id, true]);
    expect(other?.id).not.toBe(first?.id);
  });

  test('IN-L7 two callbacks of one call are one event', () => {
    expect(usageOf({ ...RECORD, call_type: 'completion' }).id).toBe(usageOf(RECORD).id);
    expect(usageOf({ ...RECORD, call_type: 'aspeech' }).id).toBe('chatcmpl-1:speech');
    expect(usageOf({ ...RECORD, call_type: 'audio' }).id).toBe('chatcmpl-1:audio');
  });

  test('IN-L8 reading an answer again costs nothing', () => {
    expect(usageOf({ ...RECORD, call_type: 'aget_responses' })).toMatchObject({ cost: { amount: '0' } });
  });

  test.each([
    ['nobody is named', { metadata: {} }],
    ['the proxy’s default user', { metadata: { user_api_key_user_id: 'default_user_id' } }],
    ['IN-L13 metadata is text', { metadata: 'oops' }],
    ['IN-L13 metadata is a list', { metadata: [1] }],
    ['IN-L13 metadata has a prototype of its own', { metadata: JSON.parse('{"__proto__":{"user_api_key_user_id":"mallory"}}') }],
  ])('IN-L12 %s: unassigned, and seen', (_name, change) => {
    expect(usageOf({ ...RECORD, ...change }).scopes).toEqual(['litellm:unassigned']);
  });

  test('IN-L17 a long or odd model name is cut and cleaned', () => {
    const { dimensions } = usageOf({ ...RECORD, model: `模型\u0000${'x'.repeat(2_000)}` }) as { dimensions: { model: string } };
    expect(Array.from(dimensions.model).length).toBe(256);
    expect(dimensions.model.startsWith('模型 x')).toBe(true);
  });

  test('parts of the tokens are carved out where they fit', () => {
    const usage_object = { prompt_tokens_details: { cached_tokens: 4 }, completion_tokens_details: { reasoning_tokens: 5 } };
    expect(usageOf({ ...RECORD, metadata: { usage_object } }).quantities).toEqual({
      inputTokens: '10',
      outputTokens: '20',
      cacheReadTokens: '4',
      reasoningTokens: '5',
    });
    const odd = { prompt_tokens_details: { cached_tokens: 40 } };
    expect(usageOf({ ...RECORD, metadata: { usage_object: odd } }).quantities).toEqual({ inputTokens: '10', outputTokens: '20' });
  });
});
