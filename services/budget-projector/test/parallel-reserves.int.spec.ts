import { parsePicos } from '@bursar/contracts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Answered, inParallel, insist, tell } from './support/contenders.js';
import { Writer } from './support/enforcement.js';
import { untilCaughtUp } from './support/exact.js';
import { Projectors } from './support/processes.js';
import { ledgerOf, type Real, real } from './support/real.js';

let at: Real;
let projectors: Projectors;
let urls: readonly string[] = [];
beforeAll(async () => {
  at = await real();
  projectors = new Projectors(at);
  urls = [(await projectors.start()).url];
}, 90_000);
afterAll(async () => {
  projectors?.killAll();
  await at?.close();
});

const CALLS = 10_000;
const CALLERS = 64;
const LEFT = 5_000;
/** By an id of the caller's own: sent again after silence or 503, it is the same reservation. */
const reserve = (n: number): Promise<Answered> =>
  insist(() => urls, 'POST', '/reservations', { id: `g21-${n}`, scopes: ['user:g21'], amount: '1', ttlSeconds: 3_600 });

test('IN-G21: of 10,000 reserves of 1 unit against 5,000 left, in parallel, exactly 5,000 are allowed', async () => {
  const write = new Writer(at, 'g21');
  await write.scope('team:g21');
  await write.scope('user:g21', ['team:g21']);
  const enforcement = { mode: 'block' as const, blockAtPercent: 100, autoPause: false };
  await write.budget('team-g21', { scope: 'team:g21', limit: 1_000 + LEFT }, { enforcement });
  await write.budget('user-g21', { scope: 'user:g21', limit: 20_000 }, { enforcement });
  await write.use('user:g21', '1000');
  await untilCaughtUp(at);

  const answers = await inParallel(CALLS, CALLERS, reserve);
  const granted = answers.flatMap(({ status }, n) => (status === 201 ? [n] : []));
  const refused = answers.filter(({ status, body }) => status === 402 && body.budgetId === 'team-g21');
  expect([granted.length, refused.length]).toEqual([LEFT, CALLS - LEFT]);

  // The ledger says the same, and at no time more.
  const told = tell(await ledgerOf(at.store), 'user:g21');
  const full = parsePicos(String(1_000 + LEFT));
  expect(told).toEqual({ spend: parsePicos('1000'), held: parsePicos(String(LEFT)), most: full, granted: LEFT });

  // Sent again, what is held is held once, and there is no room for anything else.
  const again = await inParallel(CALLERS, CALLERS, (n) => reserve(granted[n] ?? 0));
  expect(again.filter(({ status }) => status === 201)).toHaveLength(CALLERS);
  expect((await reserve(CALLS)).status).toBe(402);
  expect(tell(await ledgerOf(at.store), 'user:g21').granted).toBe(LEFT);
}, 180_000);
