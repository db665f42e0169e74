export { isPublicAddress } from './address.js';
export { type Answered, type Call, type Outcome, Outgoing, type OutgoingOptions } from './outgoing.js';
export { type AddressResolver, resolveTarget, systemResolver } from './resolve.js';
export { readRetryAfter } from './retry-after.js';
export { readTarget, type TargetPolicy, TargetRefused } from './target.js';
