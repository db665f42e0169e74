import { formatInstant, parseInstant, scopeStream } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { block, Writer } from './support/enforcement.js';
import { metricOf } from './support/processes.js';
import { projecting } from './support/projecting.js';
import { eventually } from './support/real.js';
import { reserving } from './support/reserving.js';
import { TENANT } from './support/world.js';

const run = projecting(1);
const { reserve, find, release, check } = reserving(run);

/** What usage costs is not known for a while (RELIABILITY F23, ADR 0047). */
describe('a settlement that waits', () => {
  /** Holds 10 of 100 and uses what costs 5, as is found out later. */
  const waiting = async (name: string, how: Readonly<{ cost?: object; ttlSeconds?: number }> = {}) => {
    const write = new Writer(run.at, `r-${name}`);
    const team = `team:${name}`;
    const position = await write.budget(name, { scope: team, limit: 100 }, block());
    await reserve(team, '10', position, { id: name, ttlSeconds: how.ttlSeconds ?? 300 });
    const unpriced = { cost: undefined, meter: 'things', quantities: { things: '5' }, dimensions: { model: name }, unpriced: ['things'] };
    const used = await write.use(team, '0', { ...(how.cost === undefined ? unpriced : { cost: how.cost }), reservationId: name });
    return { write, team, used };
  };
  const priced = (write: Writer, model: string) =>
    write.put(`tenant-${TENANT}`, 'PriceListCreated', {
      listId: model,
      name: model,
      currency: 'USD',
      effectiveFrom: '1970-01-01T00:00:00Z',
      prices: [{ meter: 'things', match: { model }, unit: 'things', amount: '1', per: 1 }],
    });

  test('for its price holds its room until that comes, and is released in the step that counts it', async () => {
    const { write, team, used } = await waiting('awaited');
    expect((await check(team, '90.01', used)).body).toMatchObject({ allowed: false, currentSpend: '0', reserved: '10' });
    expect((await find('awaited')).body).toMatchObject({ status: 'held', actual: null, endedAt: null, settledBy: expect.any(String) });
    expect(await release('awaited')).toMatchObject({ status: 409, body: { code: 'reservation_settled' } });
    const at = await priced(write, 'awaited');
    expect((await check(team, '95', at)).body).toMatchObject({ allowed: true, currentSpend: '5', reserved: '0' });
    expect((await find('awaited')).body).toMatchObject({ status: 'settled', actual: '5', flags: [] });
  });

  test('is over with its time, and its price is counted when it comes', async () => {
    const { write, team, used } = await waiting('awaited-ttl', { ttlSeconds: 1 });
    await eventually(
      () => check(team, '100', used),
      ({ body }) => body.reserved === '0',
    );
    expect((await find('awaited-ttl')).body).toMatchObject({ status: 'settled', actual: null, endedAt: expect.any(String) });
    const at = await priced(write, 'awaited-ttl');
    expect((await check(team, '95', at)).body).toMatchObject({ allowed: true, currentSpend: '5', reserved: '0' });
    expect((await find('awaited-ttl')).body).toMatchObject({ status: 'settled', actual: '5', flags: [] });
  });

  test('and is taken back frees its room', async () => {
    const { write, team, used } = await waiting('awaited-void');
    expect((await check(team, '1', used)).body).toMatchObject({ reserved: '10' });
    const [recorded] = await run.at.store.readPartition(0, used - 1, 1);
    if (recorded === undefined) throw new Error('it was recorded');
    const { id: eventId, position, revision, recordedAt, data } = recorded;
    const voided = await write.put(`usage-${TENANT}`, 'UsageVoided', {
      eventId,
      reason: 'test',
      original: { position, revision, recordedAt, data: JSON.parse(data) as unknown },
    });
    expect((await check(team, '100', voided)).body).toMatchObject({ allowed: true, currentSpend: '0', reserved: '0' });
    expect((await find('awaited-void')).body).toMatchObject({ status: 'settled' });
  });

  test('for a rate where it holds keeps its room until that comes', async () => {
    const { write, team, used } = await waiting('awaited-rate', { cost: { amount: '5', currency: 'XAF' } });
    expect((await check(team, '90.01', used)).body).toMatchObject({ allowed: false, currentSpend: '0', reserved: '10' });
    const rate = { from: 'XAF', to: 'USD', rate: '1', effectiveFrom: '1970-01-01T00:00:00Z' };
    const at = await write.put(`tenant-${TENANT}`, 'ExchangeRateSet', rate);
    expect((await check(team, '95', at)).body).toMatchObject({ allowed: true, currentSpend: '5', reserved: '0' });
    expect((await find('awaited-rate')).body).toMatchObject({ status: 'settled' });
  });

  test('for a rate in a budget that does not hold it is released at once', async () => {
    const write = new Writer(run.at, 'r-elsewhere');
    const team = 'team:elsewhere';
    const notify = { enforcement: { ...block().enforcement, mode: 'notify' as const } };
    await write.budget('elsewhere-euro', { scope: team, limit: 100, currency: 'EUR' }, notify);
    const position = await write.budget('elsewhere', { scope: team, limit: 100 }, block());
    await reserve(team, '10', position, { id: 'elsewhere' });
    const used = await write.use(team, '5', { reservationId: 'elsewhere' });
    expect((await check(team, '95', used)).body).toMatchObject({ allowed: true, currentSpend: '5', reserved: '0' });
    expect((await find('elsewhere')).body).toMatchObject({ status: 'settled', actual: '5' });
  });
});

/** What becomes of a reservation once it is granted: usage that names it, in time or not, its release and its expiry. */
describe('settlements', () => {
  test('IN-G15 settled twice by other usage: both count, the second is flagged', async () => {
    const write = new Writer(run.at, 'r-g15');
    const position = await write.budget('g15', { scope: 'team:g15', limit: 100 }, block());
    await reserve('team:g15', '10', position, { id: 'g15' });
    await write.use('team:g15', '4', { reservationId: 'g15' });
    const twice = await write.use('team:g15', '5', { reservationId: 'g15' });
    expect((await check('team:g15', '1', twice)).body).toMatchObject({ currentSpend: '9', reserved: '0' });
    expect((await find('g15')).body).toMatchObject({ status: 'settled', actual: '4', flags: ['SettledTwice'] });
  });

  test('IN-G16 settle then release: 409; release then settle: usage counted and flagged', async () => {
    const write = new Writer(run.at, 'r-g16');
    const position = await write.budget('g16', { scope: 'team:g16', limit: 100 }, block());
    await reserve('team:g16', '10', position, { id: 'g16-a' });
    await write.use('team:g16', '4', { reservationId: 'g16-a' });
    expect(await release('g16-a')).toMatchObject({ status: 409, body: { code: 'reservation_settled' } });
    await reserve('team:g16', '10', undefined, { id: 'g16-b' });
    expect((await release('g16-b')).status).toBe(204);
    expect((await release('g16-b')).status).toBe(204);
    const settled = await write.use('team:g16', '5', { reservationId: 'g16-b' });
    expect((await check('team:g16', '1', settled)).body).toMatchObject({ currentSpend: '9', reserved: '0' });
    expect((await find('g16-b')).body).toMatchObject({ flags: ['SettledAfterRelease'] });
    expect(await release('g16-never')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('IN-G17, F25, F26: settled after its expiry: accepted and flagged; nothing is held after the TTL though nobody asks', async () => {
    const write = new Writer(run.at, 'r-g17');
    const position = await write.budget('g17', { scope: 'team:g17', limit: 100 }, block());
    await reserve('team:g17', '10', position, { id: 'g17', ttlSeconds: 1 });
    await eventually(
      () => run.at.db.selectFrom('projection.hold').select('status').where('reservation_id', '=', 'g17').executeTakeFirst(),
      (row) => row?.status === 'expired',
    );
    expect(await run.at.db.selectFrom('projection.reserved').selectAll().where('budget_id', '=', 'g17').execute()).toEqual([]);
    const settled = await write.use('team:g17', '5', { reservationId: 'g17' });
    expect((await check('team:g17', '1', settled)).body).toMatchObject({ currentSpend: '5', reserved: '0' });
    expect((await find('g17')).body).toMatchObject({ flags: ['SettledAfterExpiry'] });
    await eventually(
      () => metricOf(run.one, 'bursar_projector_holds_expired_total'),
      (expired) => expired === 1,
    );
  });

  test('IN-G18, F27: settled for more than was held: counted in full and flagged', async () => {
    const write = new Writer(run.at, 'r-g18');
    const position = await write.budget('g18', { scope: 'team:g18', limit: 100 }, block());
    await reserve('team:g18', '10', position, { id: 'g18' });
    const settled = await write.use('team:g18', '130', { reservationId: 'g18' });
    expect((await check('team:g18', '1', settled)).body).toMatchObject({ currentSpend: '130', allowed: false });
    expect((await find('g18')).body).toMatchObject({ flags: ['SettledOverReservation'], actual: '130' });
  });

  test('IN-G19 settled for nothing: all of it is free', async () => {
    const write = new Writer(run.at, 'r-g19');
    const position = await write.budget('g19', { scope: 'team:g19', limit: 100 }, block());
    await reserve('team:g19', '10', position, { id: 'g19' });
    const settled = await write.use('team:g19', '0', { reservationId: 'g19' });
    expect((await check('team:g19', '100', settled)).body).toMatchObject({ allowed: true, currentSpend: '0', reserved: '0' });
    expect((await find('g19')).body).toMatchObject({ status: 'settled', flags: [] });
  });

  test('IN-G22 usage of another period settles in the period of its hold', async () => {
    const write = new Writer(run.at, 'r-g22');
    const position = await write.budget('g22', { scope: 'team:g22', limit: 100 }, block());
    const held = await reserve('team:g22', '10', position, { id: 'g22' });
    const occurredAt = formatInstant(parseInstant(String(held.body.grantedAt)) + 33n * 86_400_000_000_000n);
    const settled = await write.use('team:g22', '5', { reservationId: 'g22', occurredAt });
    expect((await check('team:g22', '1', settled)).body).toMatchObject({ currentSpend: '5', reserved: '0' });
  });

  test('F30: its scope moves meanwhile: held and settled on the path that it was granted on, and what comes after goes by the new one', async () => {
    const write = new Writer(run.at, 'r-f30-moved');
    await write.scope('team:f30-old');
    await write.scope('team:f30-new');
    await write.scope('user:f30', ['team:f30-old']);
    await write.budget('f30-old', { scope: 'team:f30-old', limit: 50 }, block());
    const position = await write.budget('f30-new', { scope: 'team:f30-new', limit: 60 }, block());
    expect((await reserve('user:f30', '30', position, { id: 'f30' })).body).toMatchObject({ budgetId: 'f30-old' });
    const moved = await write.put(scopeStream(TENANT), 'ScopeMoved', { scope: 'user:f30', parents: ['team:f30-new'] });
    expect((await check('user:f30', '60', moved)).body).toMatchObject({ allowed: true, budgetId: 'f30-new', reserved: '0' });
    expect((await check('team:f30-old', '21')).body).toMatchObject({ allowed: false, reserved: '30' });
    const settled = await write.use('user:f30', '12', { reservationId: 'f30' });
    expect((await check('team:f30-old', '38', settled)).body).toMatchObject({ allowed: true, currentSpend: '12', reserved: '0' });
    expect((await check('user:f30', '60')).body).toMatchObject({ allowed: true, currentSpend: '0' });
    const used = await write.use('user:f30', '5');
    expect((await check('user:f30', '55', used)).body).toMatchObject({ allowed: true, currentSpend: '5' });
    expect((await check('team:f30-old', '38')).body).toMatchObject({ allowed: true, currentSpend: '12' });
  });

  test('F30: a limit is cut below what is held: that stands, and nothing more is granted until there is room', async () => {
    const write = new Writer(run.at, 'r-f30-cut');
    const position = await write.budget('f30-cut', { scope: 'team:f30-cut', limit: 100 }, block());
    await reserve('team:f30-cut', '60', position, { id: 'f30-cut' });
    const cut = await write.budget('f30-cut', { scope: 'team:f30-cut', limit: 50 }, block(), 'BudgetChanged');
    expect(await reserve('team:f30-cut', '0.01', cut)).toMatchObject({
      status: 402,
      body: { code: 'budget_exceeded', limit: '50', reserved: '60', remaining: '-10' },
    });
    expect((await find('f30-cut')).body).toMatchObject({ status: 'held', amount: '60' });
    const settled = await write.use('team:f30-cut', '40', { reservationId: 'f30-cut' });
    expect((await reserve('team:f30-cut', '10.01', settled)).status).toBe(402);
    expect((await reserve('team:f30-cut', '10')).status).toBe(201);
  });

  test('usage that names a reservation nobody made counts, and is flagged; its id is used up', async () => {
    const write = new Writer(run.at, 'r-unknown');
    const position = await write.budget('unknown', { scope: 'team:unknown', limit: 100 }, block());
    const used = await write.use('team:unknown', '5', { reservationId: 'never-made' });
    expect((await check('team:unknown', '1', Math.max(position, used))).body).toMatchObject({ currentSpend: '5' });
    expect((await find('never-made')).status).toBe(404);
    expect(await reserve('team:unknown', '1', undefined, { id: 'never-made' })).toMatchObject({ status: 409 });
  });
});
