import { connect } from 'node:net';
import { type ConsumerReport, inspectNats, type StreamReport } from '@bursar/bus';
import { MIN_NATS_SERVER, USAGE_INTAKE_STREAM } from '@bursar/contracts/bus';
import { about, type Finding } from './finding.ts';

const AREA = 'NATS';
const { ok, warn, bad } = about(AREA);

/** The durable consumer through which ingestion takes what producers publish. */
const INTAKE_CONSUMER = 'ingestion';
const MANY_WAITING = 10_000;
const MIB = 1024 * 1024;

type Greeting = Readonly<{ version: string; auth_required?: boolean; jetstream?: boolean }>;

/** Version, whether the streams are as they must be, and how far their consumers are behind. */
export const examineNats = async (url: string): Promise<readonly Finding[]> => {
  const { hostname, port } = new URL(url.split(',')[0] ?? url);
  const greeting = await greetingOf(hostname, Number(port || 4222));
  const findings = [examineVersion(greeting.version)];
  if (greeting.auth_required !== true)
    findings.push(bad('anybody may connect', 'give it a user and a password, and name them in NATS_URL: who may publish may forge'));
  if (greeting.jetstream !== true) return [...findings, bad('JetStream is off', 'start nats-server with JetStream')];
  const { streams } = await inspectNats(url);
  return [...findings, ...streams.flatMap(examineStream)];
};

const examineVersion = (version: string): Finding => {
  const text = `nats-server ${version} (${MIN_NATS_SERVER} or newer is needed)`;
  return version.localeCompare(MIN_NATS_SERVER, 'en', { numeric: true }) >= 0
    ? ok(text)
    : bad(text, 'upgrade it: it is not used, everything is read from the event store');
};

const examineStream = (stream: StreamReport): readonly Finding[] => {
  const { name, exists, drift, messages, bytes, maxBytes } = stream;
  const repaired = 'ingestion and budget-projector set it right within 10 s; if it stays, their logs say why';
  if (!exists) return [bad(`stream ${name} is missing`, repaired)];
  const size = `${messages} messages, ${(bytes / MIB).toFixed(1)} of ${maxBytes / MIB} MiB`;
  const found = drift.length === 0 ? ok(`stream ${name}: ${size}`) : bad(`stream ${name} has another ${drift.join(', ')}`, repaired);
  return [found, ...examineConsumers(stream)];
};

const examineConsumers = ({ name: stream, consumers }: StreamReport): readonly Finding[] => {
  const findings = consumers.map((consumer) => examineConsumer(stream, consumer));
  if (stream !== USAGE_INTAKE_STREAM || consumers.some(({ name }) => name === INTAKE_CONSUMER)) return findings;
  return [
    ...findings,
    bad(`${stream} has no consumer ${INTAKE_CONSUMER}: usage over NATS waits`, 'a running ingestion makes it within seconds'),
  ];
};

const examineConsumer = (stream: string, { name, waiting, unacknowledged, redelivered, paused }: ConsumerReport): Finding => {
  const text = `consumer ${name} of ${stream}: ${waiting} waiting, ${unacknowledged} in work, ${redelivered} delivered again`;
  if (paused) return bad(`consumer ${name} of ${stream} is paused`, `resume it: nats consumer resume ${stream} ${name}`);
  return waiting > MANY_WAITING ? warn(text, 'its reader is too slow, or away') : ok(text);
};

/** A NATS server introduces itself to whoever connects, before any credentials. */
const greetingOf = (host: string, port: number): Promise<Greeting> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let text = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no answer from ${host}:${port}`)));
    socket.on('data', (data) => {
      text += data.toString('utf8');
      const line = /^INFO (\{.*\})/.exec(text)?.[1];
      if (line === undefined) return;
      socket.destroy();
      resolve(JSON.parse(line) as Greeting);
    });
    socket.once('error', reject);
  });
