import { AsyncLocalStorage } from 'node:async_hooks';
import { parseTraceparent, type Trace } from '@bursar/contracts';

const scope = new AsyncLocalStorage<Trace>();

/** Runs the work so that what it logs, and whatever it awaits, names the trace. Without one it costs nothing. */
export const inTrace = <T>(trace: Trace | null, work: () => T): T => (trace === null ? work() : scope.run(trace, work));

/** The names under which OpenTelemetry's tools look for a log line's trace. */
export type TraceFields = Readonly<{ trace_id?: string; span_id?: string }>;

/** Fields of a log line: of this trace, else of the one it is written in. */
export const traceFields = (trace: Trace | null | undefined = scope.getStore()): TraceFields => {
  const context = trace == null ? null : parseTraceparent(trace.traceparent);
  return context === null ? {} : { trace_id: context.traceId, span_id: context.spanId };
};
