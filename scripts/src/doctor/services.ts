import type { RunFile } from '../up/files.ts';
import { isReady } from '../up/readiness.ts';
import { readMetrics, type Series, sumOf } from '../up/service-metrics.ts';
import { about, type Finding } from './finding.ts';

const { ok, warn, bad } = about('services');
const LATE_SECONDS = 0.25;

/** Do the processes of run.json answer, and what do they say of themselves? */
export const examineServices = async (run: RunFile, dataDir: string): Promise<readonly Finding[]> => {
  const ready = await Promise.all(run.services.map((service) => examineService(service, dataDir)));
  const metrics = await readMetrics(dataDir);
  const told = [...metrics].flatMap(([label, series]) => (series.size === 0 ? [] : examineMetrics(label, series, dataDir)));
  const leaders = [...metrics].filter(([, series]) => (sumOf(series, 'bursar_relay_partitions') ?? 0) > 0).map(([label]) => label);
  return [...ready, ...told, examineLeaders(leaders)];
};

const examineService = async ({ name, url }: RunFile['services'][number], dataDir: string): Promise<Finding> =>
  (await isReady(url)) ? ok(`${name}: ready at ${url}`) : bad(`${name}: not ready at ${url}`, `ask ${url}/readyz; see ${dataDir}/logs`);

const examineMetrics = (label: string, series: Series, dataDir: string): readonly Finding[] => {
  const value = (name: string): number => sumOf(series, name) ?? 0;
  const findings: Finding[] = [];
  if (value('bursar_bus_connected') === 0)
    findings.push(bad(`${label}: not connected to NATS; it works from the event store`, 'is NATS running, and its password right?'));
  else if (value('bursar_bus_problems') > 0)
    findings.push(bad(`${label}: NATS is not as it must be for it`, `the streams above, or ${dataDir}/logs/${label}.log`));
  const forged = value('bursar_bus_ranges_forged_total') + value('bursar_bus_messages_malformed_total');
  if (forged > 0)
    findings.push(
      warn(`${label}: ignored ${forged} messages on ledger.* that are not ours`, 'who else may publish there? nothing was counted'),
    );
  const impossible = value('bursar_invariant_violations_total');
  if (impossible > 0)
    findings.push(
      bad(
        `${label}: found ${impossible} figures that cannot be`,
        `${dataDir}/logs/${label}.log names them; rebuild the projection from the ledger`,
      ),
    );
  else if (value('bursar_invariant_checks_total') > 0)
    findings.push(ok(`${label}: invariants hold in ${value('bursar_invariant_checks_total')} looks`));
  if (value('bursar_event_loop_lag_seconds') > LATE_SECONDS)
    findings.push(warn(`${label}: overloaded, ${value('bursar_event_loop_lag_seconds').toFixed(1)} s late`, 'add a replica'));
  return findings;
};

const examineLeaders = (leaders: readonly string[]): Finding =>
  leaders.length > 0
    ? ok(`relay: led by ${leaders.join(', ')}`)
    : bad('relay: nobody leads a partition, so nothing new appears on events.*', 'an ingestion takes them within seconds; see its log');
