import { NS_PER_SECOND } from '@bursar/contracts';
import { field, type TraceFormat } from '../row.ts';

/** Models of the trace as the shipped price list names them; m-small is an anonymous small model of Alibaba Model Studio. */
const MODELS: Readonly<Record<string, string>> = { 'deepseek-r1': 'deepseek/deepseek-r1', 'm-small': 'dashscope/qwen-turbo' };

/** ServeGen, per client and hour: a project is `<model>-<client>`, one event a row. */
export const servegen: TraceFormat = {
  columns: ['model', 'client', 'hour_start_s', 'requests', 'input_tokens', 'output_tokens', 'reasoning_tokens'],
  calendar: false,
  rows: (records) =>
    records.map((record, index) => {
      const row = index + 1;
      const model = field(record, 'model', row);
      const reasoning = field(record, 'reasoning_tokens', row);
      return {
        row,
        at: BigInt(field(record, 'hour_start_s', row)) * NS_PER_SECOND,
        scopes: [`project:${model}-${field(record, 'client', row)}`],
        meter: 'llm.tokens',
        quantities: {
          inputTokens: field(record, 'input_tokens', row),
          outputTokens: field(record, 'output_tokens', row),
          ...(reasoning === '' ? {} : { reasoningTokens: reasoning }),
        },
        dimensions: { provider: 'alibaba', model: MODELS[model] ?? model },
        description: `${field(record, 'requests', row)} requests in an hour`,
        parents: {},
      };
    }),
};
