import { type TestNats, testNats } from '@bursar/embedded';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Projector, Projectors } from './support/processes.js';
import { eventually, type Real, real } from './support/real.js';

let at: Real;
let nats: TestNats;
const started: Projectors[] = [];
beforeAll(async () => {
  [at, nats] = await Promise.all([real(), testNats()]);
});
afterAll(async () => {
  for (const projectors of started) projectors.killAll();
  await at?.close();
  await nats?.stop();
});

const start = async (natsUrl: string): Promise<Projector> => {
  const projectors = new Projectors(at, { NATS_URL: natsUrl });
  started.push(projectors);
  return projectors.start();
};

type Ready = Readonly<{ status: string; checks: readonly Readonly<{ name: string; ok: boolean; reason?: string }>[] }>;
const ready = async ({ opsUrl }: Projector): Promise<Ready> => (await fetch(`${opsUrl}/readyz`)).json() as Promise<Ready>;

test('IN-E16: whom NATS refuses is not ready, though the store’s work goes on; one whose NATS is merely away is ready', async () => {
  const wrong = new URL(nats.url);
  wrong.password = 'expired';
  const refused = await start(wrong.href);
  const answer = await eventually(
    () => ready(refused),
    ({ checks }) => checks.some(({ name, ok }) => name === 'partitions' && ok),
  );
  expect(answer.checks).toEqual([
    { name: 'bus', ok: false, reason: 'BusRefusedError' },
    { name: 'partitions', ok: true },
  ]);
  const alone = await start('nats://user:secret@127.0.0.1:1');
  await eventually(
    () => ready(alone),
    ({ status }) => status === 'ready',
  );
});
