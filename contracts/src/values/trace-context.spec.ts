import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { childTrace, formatTraceparent, parseTraceparent, readTrace, readTracestate } from './trace-context.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';
const GOOD = `00-${TRACE_ID}-${SPAN_ID}-01`;

describe('traceparent', () => {
  test('is read into its parts', () => {
    expect(parseTraceparent(GOOD)).toEqual({ traceId: TRACE_ID, spanId: SPAN_ID, flags: 1 });
  });

  test.each([
    ['nothing', undefined],
    ['empty', ''],
    ['no text', 17],
    ['several headers joined', `${GOOD}, ${GOOD}`],
    ['upper case', GOOD.toUpperCase()],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['a span id of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
    ['version ff', `ff-${TRACE_ID}-${SPAN_ID}-01`],
    ['version 00 with more than it has', `${GOOD}-x`],
    ['a short trace id', `00-${TRACE_ID.slice(1)}-${SPAN_ID}-01`],
    ['no flags', `00-${TRACE_ID}-${SPAN_ID}`],
    ['a space before it', ` ${GOOD}`],
    ['a line after it', `${GOOD}\n`],
    ['a later version with a tail that is none', `01-${TRACE_ID}-${SPAN_ID}-01x`],
    ['a later version without end', `01-${TRACE_ID}-${SPAN_ID}-01-${'x'.repeat(600)}`],
  ])('%s is none', (_what, text) => expect(parseTraceparent(text)).toBeNull());

  test('of a later version is read by what it has in common, and handed on as ours', () => {
    expect(readTrace(`cc-${TRACE_ID}-${SPAN_ID}-ff-what-the-future-brings`, undefined)).toEqual({
      traceparent: `00-${TRACE_ID}-${SPAN_ID}-03`,
    });
  });

  test('comes back as it was', () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length - 1}}[1-9a-f]$`));
    fc.assert(
      fc.property(hex(32), hex(16), fc.nat(3), (traceId, spanId, flags) => {
        const context = { traceId, spanId, flags };
        expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
      }),
    );
  });
});

describe('tracestate', () => {
  test.each([
    ['rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
    ['congo=t61rcWkgMzE,rojo=1', 'congo=t61rcWkgMzE,rojo=1'],
    [' a=1 ,\t, b=2 ,', 'a=1,b=2'],
    ['fw529a3039@dt=FfAAA', 'fw529a3039@dt=FfAAA'],
    ['a= 1', 'a= 1'],
    [Array.from({ length: 32 }, (_, n) => `k${n}=1`).join(), Array.from({ length: 32 }, (_, n) => `k${n}=1`).join()],
  ])('%s', (text, read) => expect(readTracestate(text)).toBe(read));

  test.each([
    ['nothing', undefined],
    ['empty', ''],
    ['commas only', ', ,'],
    ['no value', 'a'],
    ['an empty value', 'a='],
    ['two equals signs', 'a=b=c'],
    ['the same key twice', 'a=1,a=2'],
    ['an upper-case key', 'A=1'],
    ['no ASCII', 'a=é'],
    ['a control character', 'a=\u0001'],
    ['33 members', Array.from({ length: 33 }, (_, n) => `k${n}=1`).join()],
    ['longer than 512', `a=${'x'.repeat(600)}`],
    ['no text', ['a=1']],
  ])('%s is none', (_what, text) => expect(readTracestate(text)).toBeNull());
});

describe('a trace', () => {
  test('keeps its state, and loses one that is not valid', () => {
    expect(readTrace(GOOD, 'a=1, b=2')).toEqual({ traceparent: GOOD, tracestate: 'a=1,b=2' });
    expect(readTrace(GOOD, 'A')).toEqual({ traceparent: GOOD });
  });

  test('is none without a valid traceparent, whatever its state', () => expect(readTrace('x', 'a=1')).toBeNull());

  test('goes on in a child: the same trace, flags and state, another span', () => {
    expect(childTrace({ traceparent: GOOD, tracestate: 'a=1' }, '1111111111111111')).toEqual({
      traceparent: `00-${TRACE_ID}-1111111111111111-01`,
      tracestate: 'a=1',
    });
  });
});
