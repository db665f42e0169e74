import { derivedId, formatPicos, parsePicos, usageStream } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { type Answered, inParallel, insist, tell } from './support/contenders.js';
import { block, Writer } from './support/enforcement.js';
import { untilCaughtUp } from './support/exact.js';
import { projecting } from './support/projecting.js';
import { append, eventually, ledgerOf } from './support/real.js';
import { TENANT } from './support/world.js';

const run = projecting(3);

const urls = (): readonly string[] => run.running.map(({ url }) => url);
const reserve = (body: object): Promise<Answered> => insist(urls, 'POST', '/reservations', body);
const CALLS = 500;
/** The usage that ends a hold, sent until the store has it: a frozen owner may hold its lock for a while. */
const settle = async (reservationId: string, amount: string): Promise<void> => {
  const scopes = ['user:c'];
  const cost = { amount, currency: 'USD' };
  const data = { id: reservationId, source: 't', occurredAt: new Date().toISOString(), scopes, status: 'succeeded', cost, reservationId };
  const event = {
    stream: usageStream(TENANT),
    id: derivedId('settle', reservationId),
    type: 'UsageRecorded',
    data,
    meta: { tenant: TENANT },
  };
  for (let tries = 0; ; tries += 1) {
    try {
      await append(run.at.store, event);
      return;
    } catch (error) {
      if (tries === 100) throw error;
    }
  }
};
/** Deterministic, so that a failure repeats as far as it can. */
const draw = (n: number, of: number): number => Number((BigInt(n) * 2_654_435_761n + 12_345n) % BigInt(of));

/** Kills or freezes whoever owns the partition, some times, and starts another in the place of the dead. */
const trouble = async (times: number, isOver: () => boolean): Promise<void> => {
  for (let n = 0; n < times && !isOver(); n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 800));
    const { owner } = run.projectors;
    if (owner === null) continue;
    if (n % 2 === 0) {
      await run.projectors.kill(owner);
      run.running.splice(run.running.indexOf(owner), 1, await run.projectors.start());
    } else {
      owner.process.kill('SIGSTOP');
      await eventually(
        () => run.projectors.owner,
        (now) => now !== owner,
      );
      owner.process.kill('SIGCONT');
    }
  }
};

test('F22, F24: 64 callers on one user under team and organisation, the owner killed and frozen: never past the block point, nothing left over', async () => {
  const write = new Writer(run.at, 'contention');
  await write.scope('org:c');
  await write.scope('team:c', ['org:c']);
  await write.scope('user:c', ['team:c']);
  await write.budget('org-c', { scope: 'org:c', limit: 5_000 }, block());
  await write.budget('team-c', { scope: 'team:c', limit: 700 }, block());
  await write.budget('user-c', { scope: 'user:c', limit: 1_000 }, block());
  // As the api does before it answers a command: what is not folded yet decides nothing.
  await untilCaughtUp(run.at);

  let asked = 0;
  const refused: Answered[] = [];
  const isDone = { all: false };
  const callers = inParallel(CALLS, 64, async (n) => {
    asked += 1;
    const amount = String(1 + draw(n, 5));
    const fate = draw(n, 7);
    // What nobody settles or releases ends by itself, soon; what is settled is settled in time.
    const body = { id: `c-${n}`, scopes: ['user:c'], amount, ttlSeconds: fate < 2 ? 2 : 600 };
    const answer = await reserve(body);
    if (answer.status === 402) return void refused.push(answer);
    expect([answer.status, answer.body.reservationId]).toEqual([201, `c-${n}`]);
    if (fate >= 5) await settle(`c-${n}`, String(draw(n, Number(amount) + 1)));
    else if (fate >= 2) expect((await insist(urls, 'DELETE', `/reservations/c-${n}`)).status).toBe(204);
  }).finally(() => {
    isDone.all = true;
  });
  await Promise.all([callers, trouble(4, () => isDone.all)]);
  expect(asked).toBe(CALLS);

  // Nothing is held once the time of all that was left lying is over.
  await eventually(
    () => run.at.db.selectFrom('projection.reserved').select('reserved').execute(),
    (rows) => rows.length === 0,
  );
  await untilCaughtUp(run.at);
  const told = tell(await ledgerOf(run.at.store), 'user:c');
  const limit = parsePicos('700');
  expect({ held: told.held, within: told.most <= limit }).toEqual({ held: 0n, within: true });
  expect(told.granted).toBe(CALLS - refused.length);
  const balances = await run.at.db.selectFrom('projection.balance').select(['budget_id', 'spend']).execute();
  for (const { budget_id, spend } of balances) expect([budget_id, parsePicos(spend)]).toEqual([budget_id, told.spend]);

  // Refused only where there was no room, by its own figures; and now exactly what is left is granted.
  for (const { body } of refused) {
    expect(body.code).toBe('budget_exceeded');
    const needed = parsePicos(body.currentSpend ?? '0') + parsePicos(body.reserved ?? '0') + parsePicos(body.amount ?? '0');
    expect(needed > parsePicos(body.blockPoint ?? '0')).toBe(true);
  }
  const left = limit - told.spend;
  const tooMuch = await reserve({ scopes: ['user:c'], amount: formatPicos(left + 1n) });
  expect([tooMuch.status, tooMuch.body.budgetId]).toEqual([402, 'team-c']);
  expect((await reserve({ scopes: ['user:c'], amount: formatPicos(left) })).status).toBe(201);
}, 300_000);
