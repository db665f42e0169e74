/** What one process takes from the outside before it says no. The defaults are API.md's; tests shorten the times. */
export type Limits = Readonly<{
  /** Of one request's body. */
  bodyBytes: number;
  /** Of all requests' bodies in flight together. */
  bodiesBytes: number;
  /** A request that has not arrived whole by then is answered 408. */
  requestTimeoutMs: number;
  timeoutCheckMs: number;
  /** A handler that has not answered by then is answered for: 503, outcome unknown. */
  handlerTimeoutMs: number;
  keepAliveMs: number;
  /** All headers of a request together, request line included. */
  headerBytes: number;
  /** Percent-encoded. */
  pathParameter: number;
  connections: number;
  /** Mean lateness of the event loop above which requests are refused. */
  loopLagMs: number;
}>;

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 4 * 1024 * 1024,
  bodiesBytes: 32 * 1024 * 1024,
  // Everything is answered within 10 s (API.md, IN-A12), also as a client on a busy machine measures it.
  requestTimeoutMs: 8_000,
  timeoutCheckMs: 500,
  handlerTimeoutMs: 8_800,
  keepAliveMs: 65_000,
  headerBytes: 16 * 1024,
  // A scope's id: 128 characters of 4 bytes, three characters each.
  pathParameter: 1_600,
  // Sockets alone cannot fill the memory (IN-A21).
  connections: 4_000,
  loopLagMs: 250, // RELIABILITY F47
};
