import { parsePicos } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { type Answered, inParallel, insist, tell } from './support/contenders.js';
import { block, Writer } from './support/enforcement.js';
import { untilCaughtUp } from './support/exact.js';
import { projecting } from './support/projecting.js';
import { ledgerOf } from './support/real.js';

const run = projecting(1);

const CALLS = 10_000;
const CALLERS = 64;
const LEFT = 5_000;
/** By an id of the caller's own: sent again after silence or 503, it is the same reservation. */
const reserve = (n: number): Promise<Answered> =>
  insist(() => [run.one.url], 'POST', '/reservations', { id: `g21-${n}`, scopes: ['user:g21'], amount: '1', ttlSeconds: 3_600 });

test('IN-G21, F22: of 10,000 reserves of 1 unit against 5,000 left, in parallel, exactly 5,000 are allowed', async () => {
  const write = new Writer(run.at, 'g21');
  await write.scope('team:g21');
  await write.scope('user:g21', ['team:g21']);
  await write.budget('team-g21', { scope: 'team:g21', limit: 1_000 + LEFT }, block());
  await write.budget('user-g21', { scope: 'user:g21', limit: 20_000 }, block());
  await write.use('user:g21', '1000');
  await untilCaughtUp(run.at);

  const answers = await inParallel(CALLS, CALLERS, reserve);
  const granted = answers.flatMap(({ status }, n) => (status === 201 ? [n] : []));
  const refused = answers.filter(({ status, body }) => status === 402 && body.budgetId === 'team-g21');
  expect([granted.length, refused.length]).toEqual([LEFT, CALLS - LEFT]);

  // The ledger says the same, and at no time more.
  const told = tell(await ledgerOf(run.at.store), 'user:g21');
  const full = parsePicos(String(1_000 + LEFT));
  expect(told).toEqual({ spend: parsePicos('1000'), held: parsePicos(String(LEFT)), most: full, granted: LEFT });

  // Sent again, what is held is held once, and there is no room for anything else.
  const again = await inParallel(CALLERS, CALLERS, (n) => reserve(granted[n] ?? 0));
  expect(again.filter(({ status }) => status === 201)).toHaveLength(CALLERS);
  expect((await reserve(CALLS)).status).toBe(402);
  expect(tell(await ledgerOf(run.at.store), 'user:g21').granted).toBe(LEFT);
}, 180_000);
