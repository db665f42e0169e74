import { budgetStream, parseInstant } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { ask, block, send, Writer } from './support/enforcement.js';
import { projecting } from './support/projecting.js';
import { eventually } from './support/real.js';
import { reserving } from './support/reserving.js';
import { TENANT } from './support/world.js';

const run = projecting(1);
const { reserve, find, release, check, status } = reserving(run);

describe('reservations', () => {
  test('F23: held on every level, settled by usage: in between both know of it', async () => {
    const write = new Writer(run.at, 'r-levels');
    await write.scope('team:rl');
    await write.scope('user:rl', ['team:rl']);
    await write.budget('team-rl', { scope: 'team:rl', limit: 50 }, block());
    const position = await write.budget('user-rl', { scope: 'user:rl', limit: 100 }, block());
    const held = await reserve('user:rl', '30', position, { id: 'rl-1' });
    expect(held.status).toBe(201);
    expect(held.body).toMatchObject({
      reservationId: 'rl-1',
      status: 'held',
      amount: '30',
      currency: 'USD',
      budgetId: 'team-rl',
      remaining: '20',
      graceRemaining: '20',
      worstOvershoot: '0',
      path: ['user:rl', 'team:rl', 'tenant:acme'],
    });
    expect(held.headers.get('bursar-position')).toBe(held.body.position);
    expect(held.headers.get('bursar-owner')).toBe(run.one.url);
    expect(held.headers.get('bursar-budget')).toMatch(/^"team-rl";limit="50";used="0";reserved="30";remaining="20";reset=/);
    const { grantedAt, expiresAt } = held.body as Record<string, string>;
    expect(parseInstant(expiresAt ?? '') - parseInstant(grantedAt ?? '')).toBe(300_000_000_000n);
    expect((await check('user:rl', '20')).body).toMatchObject({ allowed: true, reserved: '30', remaining: '20' });
    expect((await check('user:rl', '20.01')).body).toMatchObject({ allowed: false, budgetId: 'team-rl' });
    const settled = await write.use('user:rl', '12', { reservationId: 'rl-1' });
    expect((await check('user:rl', '38', settled)).body).toMatchObject({ allowed: true, reserved: '0', currentSpend: '12' });
    expect((await status('rl-1', 'settled')).body).toMatchObject({ status: 'settled', actual: '12', flags: [] });
  });

  test('IN-G11 reserve > limit, > parent’s room: refused naming the ancestor, with every field of a refusal', async () => {
    const write = new Writer(run.at, 'r-g11');
    await write.scope('team:g11');
    await write.scope('user:g11', ['team:g11']);
    await write.budget('team-g11', { scope: 'team:g11', limit: 50 }, block(110));
    const position = await write.budget('user-g11', { scope: 'user:g11', limit: 1_000 }, block());
    await reserve('user:g11', '5', position);
    const refused = await reserve('user:g11', '51', undefined, { category: 'CHAT' });
    expect(refused.status).toBe(402);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(refused.body).toMatchObject({
      type: 'https://bursar.dev/problems/budget-exceeded',
      code: 'budget_exceeded',
      retryable: false,
      detail:
        'Budget exceeded for team:g11. Current: $0.00, Limit: $50.00. Contact your administrator to increase budget or wait for the reset. ' +
        'Reserved by calls in progress: $5.00.',
      budgetId: 'team-g11',
      scope: 'team:g11',
      category: 'CHAT',
      currentSpend: '0',
      reserved: '5',
      limit: '50',
      blockPoint: '55',
      amount: '51',
      resetAt: expect.stringMatching(/Z$/),
      remediation: 'Contact your administrator to increase budget or wait for the reset.',
    });
    expect(refused.headers.get('bursar-budget')).toMatch(/^"team-g11"/);
    expect((await reserve('user:g11', '50')).status).toBe(201);
  });

  test.each([{}, { inputTokens: '0' }, { inputTokens: '0.0', outputTokens: '0' }])(
    'IN-G11 reserve nothing, %j: 400',
    async (quantities) => {
      const asked = await send(run.one.url, 'POST', '/reservations', { scopes: ['team:g11'], quantities });
      expect(asked).toMatchObject({ status: 400, body: { code: 'not_positive', errors: [{ pointer: '/quantities' }] } });
    },
  );

  test('Bursar-Budget names the budget with the least room, also where another one refuses', async () => {
    const write = new Writer(run.at, 'r-tightest');
    await write.scope('team:tight');
    await write.scope('user:roomy', ['team:tight']);
    await write.budget('tight', { scope: 'team:tight', limit: 10 }, block());
    const roomy = await write.budget('roomy', { scope: 'user:roomy', limit: 1_000 }, block());
    await reserve('user:roomy', '4', roomy);
    const unpriced = await ask(run.one.url, '/reservations', { scopes: ['user:roomy'], quantities: { things: '1' } });
    const paused = await write.put(budgetStream(TENANT, 'roomy'), 'BudgetPaused', { budgetId: 'roomy', reason: 'audit' });
    const [checked, refused] = [await check('user:roomy', '1', paused), await reserve('user:roomy', '1')];
    expect([unpriced, checked, refused].map(({ body }) => [body.code, body.budgetId])).toEqual([
      ['price_missing', 'roomy'],
      ['budget_paused', 'roomy'],
      ['budget_paused', 'roomy'],
    ]);
    for (const { headers } of [unpriced, checked, refused])
      expect(headers.get('bursar-budget')).toMatch(/^"tight";limit="10";used="0";reserved="4";remaining="6"/);
  });

  test('IN-G13 the same id and body a hundred times in parallel: one hold, a hundred equal replies', async () => {
    const write = new Writer(run.at, 'r-g13');
    const position = await write.budget('g13', { scope: 'team:g13', limit: 100 }, block());
    await check('team:g13', '1', position);
    const replies = await Promise.all(Array.from({ length: 100 }, () => reserve('team:g13', '60', undefined, { id: 'g13' })));
    expect(new Set(replies.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(replies[0]?.status).toBe(201);
    const again = await reserve('team:g13', '60', undefined, { id: 'g13' });
    expect(again.body).toEqual(replies[0]?.body);
    const headers = new Set([again, ...replies].map((reply) => reply.headers.get('bursar-budget')));
    expect([...headers]).toEqual([expect.stringMatching(/^"g13";limit="100";used="0";reserved="60";remaining="40";reset=/)]);
    expect((await check('team:g13', '1')).body).toMatchObject({ reserved: '60' });
  });

  test('IN-G14 the same id with another amount: 409', async () => {
    const write = new Writer(run.at, 'r-g14');
    const position = await write.budget('g14', { scope: 'team:g14', limit: 100 }, block());
    await reserve('team:g14', '1', position, { id: 'g14' });
    expect(await reserve('team:g14', '2', undefined, { id: 'g14' })).toMatchObject({ status: 409, body: { code: 'reservation_conflict' } });
    // For ever: also once it is closed.
    await release('g14');
    await status('g14', 'released');
    expect(await reserve('team:g14', '2', undefined, { id: 'g14' })).toMatchObject({ status: 409 });
    expect(await reserve('team:g14', '1', undefined, { id: 'g14' })).toMatchObject({ status: 201, body: { status: 'released' } });
  });

  test('a release answers the position from which on nothing is held, also when it is asked for twice at once', async () => {
    const write = new Writer(run.at, 'r-written');
    const position = await write.budget('written', { scope: 'team:written', limit: 100 }, block());
    await reserve('team:written', '10', position, { id: 'written' });
    const { body } = await find('written');
    const answers = await Promise.all([release('written'), release('written')]);
    for (const { status: said, headers } of answers) {
      expect(said).toBe(204);
      const at = Number(headers.get('bursar-position')?.split(':')[1]);
      expect(at).toBeGreaterThan(Number(String(body.position).split(':')[1]));
      expect((await check('team:written', '1', at)).body).toMatchObject({ reserved: '0', remaining: '100' });
    }
  });

  test('IN-G21 1,000 of 1 unit against 500 left, in parallel: exactly 500 are granted', async () => {
    const write = new Writer(run.at, 'r-g21');
    const position = await write.budget('g21', { scope: 'team:g21', limit: 500 }, block());
    await check('team:g21', '1', position);
    let granted = 0;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        for (let n = 0; n < 20; n += 1) if ((await reserve('team:g21', '1')).status === 201) granted += 1;
      }),
    );
    expect(granted).toBe(500);
    expect((await check('team:g21', '1')).body).toMatchObject({ allowed: false, reserved: '500', remaining: '0' });
  });

  test('a budget that only notifies never refuses, and holds', async () => {
    const write = new Writer(run.at, 'r-notify');
    const notify = { enforcement: { mode: 'notify' as const, blockAtPercent: 100, autoPause: false } };
    const position = await write.budget('notify', { scope: 'team:notify', limit: 10 }, notify);
    expect((await reserve('team:notify', '15', position)).status).toBe(201);
    expect((await check('team:notify', '1')).body).toMatchObject({ allowed: true, reserved: '15', remaining: '-5' });
  });

  test('a token estimate is rated by the price lists; without a price it is refused', async () => {
    const write = new Writer(run.at, 'r-rated');
    await write.put('tenant-acme', 'PriceListCreated', {
      listId: 'r-rated',
      name: 'r-rated',
      currency: 'USD',
      effectiveFrom: '1970-01-01T00:00:00Z',
      prices: [{ meter: 'llm.tokens', match: { model: 'r-rated' }, unit: 'inputTokens', amount: '2', per: 1_000 }],
    });
    const position = await write.budget('rated', { scope: 'team:rated', limit: 10 }, block());
    const estimate = { scopes: ['team:rated'], quantities: { inputTokens: '1500' }, dimensions: { model: 'r-rated' } };
    expect(await ask(run.one.url, '/reservations', estimate, position)).toMatchObject({ status: 201, body: { amount: '3' } });
    const unpriced = { ...estimate, dimensions: { model: 'r-other' } };
    expect(await ask(run.one.url, '/reservations', unpriced)).toMatchObject({
      status: 402,
      body: { code: 'price_missing', unpriced: ['inputTokens'] },
    });
  });

  test('F24: losing the owner loses no hold and doubles none: the next one goes on with it', async () => {
    const write = new Writer(run.at, 'r-owner');
    const position = await write.budget('owner', { scope: 'team:owner', limit: 100 }, block());
    const held = await reserve('team:owner', '60', position, { id: 'owner' });
    await run.projectors.kill(run.one);
    run.running.splice(0, 1, await run.projectors.start());
    const again = await eventually(
      () => reserve('team:owner', '60', undefined, { id: 'owner' }),
      (answer) => answer.status !== 503,
    );
    expect(again.body).toEqual(held.body);
    expect((await check('team:owner', '1')).body).toMatchObject({ reserved: '60' });
    expect((await reserve('team:owner', '41')).status).toBe(402);
    expect((await release('owner')).status).toBe(204);
    expect(
      await eventually(
        () => check('team:owner', '100'),
        ({ body }) => body.reserved === '0',
      ),
    ).toMatchObject({ body: { allowed: true } });
  });
});
