/** Why a server with these settings may not hold the event store: empty when it may (RELIABILITY F41, F43). */
export const unsafeSettings = (settings: ReadonlyMap<string, string>): readonly string[] => {
  const reasons: string[] = [];
  for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) {
    if (settings.get(name) === 'off') reasons.push(`${name} is off, so an acknowledged event could be lost in a crash`);
  }
  const encoding = settings.get('server_encoding');
  if (encoding !== 'UTF8') reasons.push(`its encoding is ${encoding}, not UTF8`);
  if (settings.get('in_recovery') === 'true') reasons.push('it is a standby; connect to the primary');
  return reasons;
};
