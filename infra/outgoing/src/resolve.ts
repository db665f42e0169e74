import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { isPublicAddress } from './address.js';
import { type TargetPolicy, TargetRefused } from './target.js';

/** Every address of a host name, v4 and v6. Rejects when there is none. */
export type AddressResolver = (hostname: string) => Promise<readonly LookupAddress[]>;

const TRIES = 2;
const TIMEOUT_MS = 2_000;

/**
 * Asks DNS itself, not the C library: a name server that never answers then holds no thread of the process, and names of this machine
 * (hosts file) do not count. With private targets allowed they do.
 */
export const systemResolver = ({ allowPrivate }: TargetPolicy): AddressResolver => {
  if (allowPrivate) return (hostname) => dns.lookup(hostname, { all: true });
  const resolver = new dns.Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  return async (hostname) => {
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const [four, six] = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const found = [...(four ?? []).map((address) => ({ address, family: 4 })), ...(six ?? []).map((address) => ({ address, family: 6 }))];
    if (found.length === 0) throw new Error('the name has no address');
    return found;
  };
};

/**
 * The addresses that may be connected to: all of the host's, or none. One private address among public ones refuses the target, because
 * which of them a later look-up would give is not ours to choose. Throws {@link TargetRefused}, or what the resolver throws.
 */
export const resolveTarget = async (url: URL, policy: TargetPolicy, resolver: AddressResolver): Promise<readonly LookupAddress[]> => {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(hostname);
  const addresses = family === 0 ? await resolver(hostname.replace(/\.$/, '')) : [{ address: hostname, family }];
  if (!policy.allowPrivate && !addresses.every(({ address }) => isPublicAddress(address))) {
    throw new TargetRefused('The host is not on the public Internet');
  }
  return addresses;
};
