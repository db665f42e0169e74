import type { Trace } from '@bursar/contracts';

/** Who asks for a change, and under which request id. Equal request ids of a tenant are one request, however often it is sent. */
export type CommandContext = Readonly<{
  tenant: string;
  /** Recorded as who did it: a key's id or `user:…`. */
  actor: string;
  /** Ids of the events are derived from it, so a repeated attempt appends the same events, once. */
  requestId: string;
  /** An earlier attempt under this request id may have got through: look before deciding. */
  repeated: boolean;
  trace: Trace | null;
}>;
