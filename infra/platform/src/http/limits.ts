/** Bytes of a request's body (API.md, Limits: 4 MB). */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Bodies of all requests in flight together. */
export const MAX_BODIES_BYTES = 32 * 1024 * 1024;
/** A request that has not arrived whole by then is answered 408 (IN-A12). Checked every half second, so within 10 s. */
export const REQUEST_TIMEOUT_MS = 9_000;
export const TIMEOUT_CHECK_MS = 500;
/** A handler that has not answered by then is answered for: 503, outcome unknown (API.md: every request is answered within 10 s). */
export const HANDLER_TIMEOUT_MS = 9_800;
export const KEEP_ALIVE_MS = 65_000;
/** All headers of a request together; node counts the request line too (IN-A19). */
export const MAX_HEADER_BYTES = 16 * 1024;
export const MAX_HEADERS = 200;
/** Percent-encoded: a scope's id of 128 characters of 4 bytes each. */
export const MAX_PATH_PARAMETER = 1_600;
/** Connections at once, so that sockets alone cannot fill the memory (IN-A21). */
export const MAX_CONNECTIONS = 4_000;
