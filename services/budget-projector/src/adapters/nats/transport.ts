import { readFileSync } from 'node:fs';
import type { Bus } from '@bursar/bus';
import { NatsRequestServer } from '@bursar/bus/nest';

/** How the projector is asked on NATS. `apiUrl`: where the AsyncAPI document is served, if that is known. */
export const enforcementTransport = (bus: Bus, apiUrl = ''): NatsRequestServer =>
  new NatsRequestServer(bus, {
    name: 'bursar-enforcement',
    version: releaseVersion(),
    description: 'May this be spent? Any replica answers, by whoever owns the tenant',
    document: `${apiUrl}/asyncapi.json`,
  });

/** All workspaces carry the version of the release. */
const releaseVersion = (): string => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
};
