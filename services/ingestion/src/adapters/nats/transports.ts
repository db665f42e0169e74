import { readFileSync } from 'node:fs';
import type { Bus } from '@bursar/bus';
import { DurableServer, NatsRequestServer } from '@bursar/bus/nest';

/** How ingestion is reached on NATS, beside HTTP. */
export type NatsTransports = Readonly<{ intake: DurableServer; requests: NatsRequestServer }>;

/** `apiUrl`: where the AsyncAPI document is served, if that is known. */
export const natsTransports = (bus: Bus, apiUrl = ''): NatsTransports => ({
  intake: new DurableServer(bus),
  requests: new NatsRequestServer(bus, {
    name: 'bursar-ingestion',
    version: releaseVersion(),
    description: 'Records usage: the reply means durable',
    document: `${apiUrl}/asyncapi.json`,
  }),
});

/** All workspaces carry the version of the release. */
const releaseVersion = (): string => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
};
