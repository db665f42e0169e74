import { readFileSync } from 'node:fs';
import type { Bus } from '@bursar/bus';
import { type DirectHandler, NatsRequestServer } from '@bursar/bus/nest';
import { budgetsSubject } from '@bursar/contracts/bus';
import type { CheckResponder } from './check-responder.js';
import type { ReservationsResponder } from './reservations-responder.js';

type Responders = Readonly<{ checks: CheckResponder; reservations: ReservationsResponder }>;

/** How the projector is asked on NATS. `apiUrl`: where the AsyncAPI document is served, if that is known. */
export const enforcementTransport = (bus: Bus, { checks, reservations }: Responders, apiUrl = ''): NatsRequestServer => {
  const identity = {
    name: 'bursar-enforcement',
    version: releaseVersion(),
    description: 'May this be spent? Any replica answers, by whoever owns the tenant',
    document: `${apiUrl}/asyncapi.json`,
  };
  // What everybody asks before and with every spend (ADR 0031).
  const direct = new Map<string, DirectHandler>([
    [budgetsSubject('*', 'check'), (request) => checks.answer(request)],
    [budgetsSubject('*', 'reserve'), (request) => reservations.reserve(request)],
  ]);
  return new NatsRequestServer(bus, identity, direct);
};

/** All workspaces carry the version of the release. */
const releaseVersion = (): string => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
};
