import ipaddr from 'ipaddr.js';

/** All that IANA gives out to the public Internet. What lies outside (mapped, NAT64, ULA, link-local, …) is special by definition. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * True for an address on the public Internet, in the ranges of IANA's special-purpose registries as ipaddr.js keeps them. Every form
 * that carries an IPv4 address inside an IPv6 one (mapped, translated, 6to4, Teredo, NAT64) is none: whoever routes it decides what
 * it reaches.
 */
export const isPublicAddress = (text: string): boolean => {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST);
};
