import { budgetStream } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { ask, block, send, Writer } from './support/enforcement.js';
import { projecting } from './support/projecting.js';
import { eventually } from './support/real.js';
import { TENANT } from './support/world.js';

const run = projecting(1);

const check = (scope: string, amount: string, position: number, more: object = {}) =>
  ask(run.one.url, '/check', { scopes: [scope], amount, ...more }, position);

describe('check', () => {
  test('no budget: allowed', async () => {
    const position = await new Writer(run.at, 'none').scope('user:none');
    const { status, body } = await check('user:none', '5', position);
    expect([status, body]).toEqual([
      200,
      { allowed: true, remaining: null, graceRemaining: null, suggestedActions: [], worstOvershoot: '0', position: body.position },
    ]);
  });

  test('three levels: the tightest decides, wherever it is, and says so in body and header', async () => {
    const write = new Writer(run.at, 'levels');
    await write.scope('org:l');
    await write.scope('team:l', ['org:l']);
    await write.scope('user:l', ['team:l']);
    await write.budget('org-l', { scope: 'org:l', limit: 100 }, block());
    await write.budget('team-l', { scope: 'team:l', limit: 50 }, block(110));
    await write.budget('user-l', { scope: 'user:l', limit: 1_000 }, block());
    let position = await write.use('user:l', '40');
    const fits = await check('user:l', '15', position);
    expect(fits.body).toMatchObject({
      allowed: true,
      budgetId: 'team-l',
      remaining: '10',
      graceRemaining: '15',
      blockPoint: '55',
      worstOvershoot: '15',
      position: `0:${fits.headers.get('bursar-position')?.slice(2)}`,
    });
    expect(fits.headers.get('bursar-budget')).toMatch(/^"team-l";limit="50";used="40";reserved="0";remaining="10";reset="\d{4}-/);
    expect(fits.headers.get('bursar-owner')).toBe(run.one.url);
    const over = await check('user:l', '15.000000000001', position);
    expect(over.body).toMatchObject({ allowed: false, code: 'budget_exceeded', budgetId: 'team-l', worstOvershoot: '0' });
    expect(over.body.reason).toBe('Budget exceeded for team:l. Current: $40.00, Limit: $50.00.');
    // Spent beside the team: now the organisation is the tightest.
    position = await write.use('org:l', '57');
    expect((await check('user:l', '4', position)).body).toMatchObject({ allowed: false, budgetId: 'org-l', remaining: '3' });
    expect((await check('team:l', '3', position)).body).toMatchObject({ allowed: true, budgetId: 'org-l' });
  });

  test('two budgets on a scope: a filter that does not match leaves its budget out', async () => {
    const write = new Writer(run.at, 'filter');
    await write.scope('team:f');
    await write.budget('all-f', { scope: 'team:f', limit: 100 }, block());
    await write.budget('gpt-f', { scope: 'team:f', limit: 10, model: 'gpt-*' }, block());
    const position = await write.use('team:f', '8', { dimensions: { model: 'gpt-5' } });
    expect((await check('team:f', '5', position, { dimensions: { model: 'gpt-5' } })).body).toMatchObject({
      allowed: false,
      budgetId: 'gpt-f',
    });
    expect((await check('team:f', '5', position, { dimensions: { model: 'haiku' } })).body).toMatchObject({
      allowed: true,
      budgetId: 'all-f',
    });
  });

  test('an amount in another currency is converted, and refused where no rate covers it', async () => {
    const write = new Writer(run.at, 'rates');
    await write.scope('team:r');
    let position = await write.budget('eur-r', { scope: 'team:r', limit: 10, currency: 'EUR' }, block());
    expect((await check('team:r', '1', position)).body).toMatchObject({ allowed: false, code: 'rate_missing', budgetId: 'eur-r' });
    const rate = { from: 'USD', to: 'EUR', rate: '0.5', effectiveFrom: '2020-01-01T00:00:00Z' };
    position = await write.put(`tenant-${TENANT}`, 'ExchangeRateSet', rate);
    expect((await check('team:r', '20', position)).body).toMatchObject({ allowed: true, currency: 'EUR', worstOvershoot: '10' });
    expect((await check('team:r', '20.1', position)).body).toMatchObject({ allowed: false, code: 'budget_exceeded' });
  });

  test('the end of an override changes the answer without an event', async () => {
    const write = new Writer(run.at, 'clock');
    await write.scope('team:c');
    await write.budget('b-c', { scope: 'team:c', limit: 10 }, block());
    const clock = await run.at.store.clock();
    const position = await write.put(budgetStream(TENANT, 'b-c'), 'OverrideGranted', {
      budgetId: 'b-c',
      overrideId: 'o',
      amount: { amount: '5', currency: 'USD' },
      enforcement: null,
      expiresAt: new Date(clock + 5_000).toISOString(),
      reason: 'r',
    });
    expect((await check('team:c', '15', position)).body).toMatchObject({ allowed: true, limit: '15' });
    await eventually(
      () => check('team:c', '15', position),
      ({ body }) => body.allowed === false && body.limit === '10',
    );
  });

  test('the next period begins by the clock alone', async () => {
    const write = new Writer(run.at, 'period');
    await write.scope('team:p');
    const begins = Math.floor(await run.at.store.clock());
    const period = { kind: 'rolling' as const, timezone: 'UTC', anchor: new Date(begins).toISOString(), length: 'PT6S', recurring: true };
    await write.budget('b-p', { scope: 'team:p', limit: 10 }, { ...block(), period });
    const position = await write.use('team:p', '10', { occurredAt: new Date(begins + 500).toISOString() });
    const spent = (await check('team:p', '1', position)).body;
    expect(spent).toMatchObject({
      allowed: false,
      currentSpend: '10',
      resetAt: new Date(begins + 6_000).toISOString().replace('.000Z', 'Z'),
    });
    const fresh = await eventually(
      () => check('team:p', '1', position),
      ({ body }) => body.allowed === true,
    );
    expect(fresh.body).toMatchObject({ currentSpend: '0', position: spent.position });
  });

  test('a position not reached in time is 202, one of another partition 400', async () => {
    const later = await ask(run.one.url, '/check?minPosition=0:999999', { scopes: ['team:l'], amount: '1' });
    expect([later.status, later.headers.get('retry-after'), later.body.minPosition]).toEqual([202, '1', '0:999999']);
    const elsewhere = await ask(run.one.url, '/check?minPosition=7:1', { scopes: ['team:l'], amount: '1' });
    expect([elsewhere.status, elsewhere.body.code]).toEqual([400, 'position_format']);
  });
});

describe('C11 the stated bound', () => {
  /** As many as 20 callers at once, each of whom spends 3 where it is let: what is spent past the block point, and what they were told. */
  const together = async (id: string, ask: (scope: string, position: number) => Promise<string | null>) => {
    const write = new Writer(run.at, `bound-${id}`);
    const scope = `team:${id}`;
    const position = await write.budget(id, { scope, limit: 10 }, block());
    const bounds = (await Promise.all(Array.from({ length: 20 }, () => ask(scope, position)))).flatMap((bound) => bound ?? []);
    let spent = position;
    for (const _ of bounds) spent = await write.use(scope, '3');
    const { currentSpend } = (await check(scope, '0', spent)).body;
    return { past: Math.max(0, Number(currentSpend) - 10), bounds: bounds.map(Number) };
  };

  test('of a check it is what its own spend may pass the block point by: together they pass it by no more than they were told', async () => {
    const { past, bounds } = await together('checked', async (scope, position) => {
      const { body } = await check(scope, '3', position);
      return body.allowed === true ? String(body.worstOvershoot) : null;
    });
    expect([past, bounds]).toEqual([50, bounds.map(() => 3)]);
    expect(past).toBeLessThanOrEqual(bounds.reduce((sum, bound) => sum + bound, 0));
  });

  test('of a reservation it is 0, and nothing passes the block point', async () => {
    const { past, bounds } = await together('reserved', async (scope, position) => {
      const { status, body } = await ask(run.one.url, '/reservations', { scopes: [scope], amount: '3' }, position);
      return status === 201 ? String(body.worstOvershoot) : null;
    });
    expect([past, bounds]).toEqual([0, [0, 0, 0]]);
  });
});

describe('check-constraints', () => {
  test('of the budget, its scope’s others and those above; amounts are in its own currency', async () => {
    const write = new Writer(run.at, 'constraints');
    await write.scope('org:k');
    await write.scope('team:k', ['org:k']);
    await write.budget('org-k', { scope: 'org:k', limit: 1_000 }, block());
    await write.budget('team-k', { scope: 'team:k', limit: 10, model: 'gpt-*' }, block());
    const position = await write.budget('other-k', { scope: 'team:k', limit: 5 }, block());
    const constraints = async (amount: string, id = 'team-k') =>
      (await ask(run.one.url, `/budgets/${id}/check-constraints`, { amount }, position)).body;
    expect(await constraints('5')).toMatchObject({ canProceed: true, reason: null, budgetId: 'other-k', remaining: '5' });
    expect(await constraints('6')).toMatchObject({ canProceed: false, budgetId: 'other-k', code: 'budget_exceeded' });
    expect(await constraints('6', 'org-k')).toMatchObject({ canProceed: true, budgetId: 'org-k' });
    expect(await constraints('1', 'absent')).toMatchObject({ status: 404, code: 'not_found' });
  });
});

test('an owner that freezes is replaced, and every caller hears within 5 s; what it says on waking is not believed', async () => {
  const write = new Writer(run.at, 'frozen');
  await write.scope('team:z');
  const position = await write.budget('b-z', { scope: 'team:z', limit: 10 }, block());
  const two = await run.projectors.start();
  await ask(two.url, '/check', { scopes: ['team:z'], amount: '1' }, position);
  const [owner, other] = run.projectors.owner === two ? [two, run.one] : [run.one, two];
  owner.process.kill('SIGSTOP');
  for (let answered = false; !answered; ) {
    const began = performance.now();
    const { status, headers } = await ask(other.url, '/check', { scopes: ['team:z'], amount: '1' });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect([200, 503]).toContain(status);
    answered = status === 200;
    if (answered) expect(headers.get('bursar-owner')).toBe(other.url);
  }
  owner.process.kill('SIGCONT');
  // Where everything is slow, the one that took over may have to renew its lease first.
  const woken = await eventually(
    () => ask(owner.url, '/check', { scopes: ['team:z'], amount: '1' }),
    ({ status }) => status !== 503,
  );
  expect([woken.status, woken.headers.get('bursar-owner')]).toEqual([200, other.url]);
  await run.projectors.kill(owner);
  run.running.splice(0, 1, other);
});

test('a replica that does not own the partition asks the one that does, and says who it was; without one it is 503 in time', async () => {
  const write = new Writer(run.at, 'forward');
  await write.scope('team:o');
  const position = await write.budget('b-o', { scope: 'team:o', limit: 10 }, block());
  const two = await run.projectors.start();
  const [owner, other] = run.projectors.owner === two ? [two, run.one] : [run.one, two];
  const forwarded = await ask(other.url, '/check', { scopes: ['team:o'], amount: '11' }, position);
  expect(forwarded.body).toMatchObject({ allowed: false, budgetId: 'b-o' });
  expect(forwarded.headers.get('bursar-owner')).toBe(owner.url);
  expect((await ask(other.url, '/budgets/absent/check-constraints', { amount: '1' })).status).toBe(404);
  const named = (url: string, amount: string) =>
    send(url, 'POST', '/reservations', { scopes: ['team:o'], amount }, { 'idempotency-key': 'forwarded' });
  const first = await named(other.url, '2');
  for (const { url } of [owner, other]) {
    expect((await named(url, '2')).body).toEqual(first.body);
    expect(await named(url, '3')).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } });
  }

  await run.projectors.kill(owner);
  const heard = await eventually(
    () => ask(other.url, '/check', { scopes: ['team:o'], amount: '11' }),
    ({ status }) => status === 200,
  );
  expect(heard.headers.get('bursar-owner')).toBe(other.url);

  // Somebody has it who is no replica: nobody can be asked.
  await run.at.db.updateTable('projection.lease').set({ owner: 'gone', expires_at: '2999-01-01T00:00:00Z' }).execute();
  await eventually(
    () => ask(other.url, '/check', { scopes: ['team:o'], amount: '11' }),
    ({ status }) => status !== 200,
  );
  // A machine that stalls may make one of them late, but not all.
  const took: number[] = [];
  while (took.length < 3 && !took.some((ms) => ms < 5_000)) {
    const began = performance.now();
    const nobody = await ask(other.url, '/check', { scopes: ['team:o'], amount: '1' });
    took.push(performance.now() - began);
    expect([nobody.status, nobody.body.code, nobody.headers.get('retry-after')]).toEqual([503, 'no_owner', '1']);
  }
  expect(Math.min(...took)).toBeLessThan(5_000);
});
