import { errors } from '@nats-io/transport-node';

/** What the client says of a server that has no TLS to offer where `tls://` insists on it. */
const NO_TLS = "server does not support 'tls'";

/**
 * Whether a failed attempt to connect is one that no waiting cures: credentials that are not, or no longer, good, or no TLS where it was
 * asked for (RELIABILITY IN-E16). Whatever else it is may pass, as a server that is away. A certificate that is not trusted is not among
 * them: the client says the same of it as of a server that stands still, "timeout".
 */
export const isRefusal = (error: unknown): boolean =>
  error instanceof errors.AuthorizationError ||
  error instanceof errors.UserAuthenticationExpiredError ||
  (error instanceof errors.ConnectionError && error.message === NO_TLS);
