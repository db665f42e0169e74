import { isIP } from 'node:net';

/** `allowPrivate`: WEBHOOK_ALLOW_PRIVATE_TARGETS=1, for tests and development: loopback and private addresses, http:, any port, IP literals. */
export type TargetPolicy = Readonly<{ allowPrivate: boolean }>;

/** A target that is not called. The message says which rule, and nothing about the network behind it. */
export class TargetRefused extends Error {
  override readonly name = 'TargetRefused';
}

/** Names that mean this machine or this network wherever they are looked up (RFC 6761, RFC 8375, ICANN's `internal`). */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|private|corp|home|lan|localdomain|home\.arpa|onion|test|invalid)$/;

/**
 * Reads the address of a target as a client sent it. WHATWG parsing comes first, so that every spelling of an IP address (`127.1`,
 * `0x7f.1`, `2130706433`, full-width digits) is judged as the address it is. Throws {@link TargetRefused}.
 */
export const readTarget = (text: string, policy: TargetPolicy): URL => {
  if (!URL.canParse(text)) throw new TargetRefused('Not an absolute URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw new TargetRefused('A target holds no user name or password');
  if (policy.allowPrivate) {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TargetRefused('A target is https: or http:');
    return url;
  }
  if (url.protocol !== 'https:') throw new TargetRefused('A target is https:');
  if (url.port !== '') throw new TargetRefused('A target is called on port 443');
  refuseLocalName(url.hostname.replace(/\.$/, ''));
  return url;
};

const refuseLocalName = (hostname: string): void => {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) throw new TargetRefused('A target has a host name, not an IP address');
  if (!hostname.includes('.') || LOCAL_NAME.test(hostname)) throw new TargetRefused('The host is not on the public Internet');
};
