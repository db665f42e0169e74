import { type TestNats, testNats } from '@bursar/embedded';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect, type NatsConnection, headers as natsHeaders } from '@nats-io/transport-node';
import { sql } from 'kysely';
import { block, send, Writer } from './support/enforcement.js';
import { type Projector, Projectors } from './support/processes.js';
import { eventually, type Real, real } from './support/real.js';
import { TENANT } from './support/world.js';

/** What is asked waits so long for a count, and a forwarded question for less. */
const BOUND_MS = 2_000;
const FORWARDED_MS = 1_000;

let at: Real;
let nats: TestNats;
let nc: NatsConnection;
let projectors: Projectors;
let owner: Projector;
let other: Projector;
beforeAll(async () => {
  [at, nats] = await Promise.all([real(), testNats()]);
  const { username, password, host } = new URL(nats.url);
  nc = await connect({ servers: host, user: username, pass: password });
  projectors = new Projectors(at, { NATS_URL: nats.url, PARTITION_LEASE_MS: '30000' });
  const [one, two] = await Promise.all([projectors.start(), projectors.start()]);
  owner = await eventually(
    () => projectors.owner ?? one,
    () => projectors.owner !== null,
  );
  other = owner === one ? two : one;
});
afterAll(async () => {
  projectors?.killAll();
  await nc?.close();
  await at?.close();
  await nats?.stop();
});

/** Usage of 4 on a scope of its own, then a budget of 10 there. Answers the budget's position: as far the api waits before it says 201. */
const madeAfterUsage = async (id: string): Promise<number> => {
  const write = new Writer(at, id);
  await write.use(`team:${id}`, '4');
  return write.budget(id, { scope: `team:${id}`, limit: 10 }, block());
};

const ASKED = [
  ['at the owner', () => owner.url],
  ['of a replica that asks the owner', () => other.url],
] as const;

test.each(ASKED)('who asks right after a budget was made, %s, is answered from what was spent before it', async (where, urlOf) => {
  const asked = async (what: string, body: object, path: string) => {
    const id = `${what} ${where}`.replaceAll(' ', '-');
    const position = await madeAfterUsage(id);
    const isOfScopes = !path.includes(':id');
    const url = `${path.replace(':id', id)}?minPosition=0:${position}`;
    return send(urlOf(), 'POST', url, { ...(isOfScopes && { scopes: [`team:${id}`] }), ...body });
  };
  const check = await asked('check', { amount: '7' }, '/check');
  expect([check.status, check.body]).toMatchObject([200, { allowed: false, code: 'budget_exceeded', currentSpend: '4', remaining: '6' }]);
  const constraints = await asked('constraints', { amount: '6' }, '/budgets/:id/check-constraints');
  expect([constraints.status, constraints.body]).toMatchObject([200, { canProceed: true, currentSpend: '4' }]);
  const held = await asked('held', { amount: '6' }, '/reservations');
  expect([held.status, held.body]).toMatchObject([201, { status: 'held', remaining: '0' }]);
  const refused = await asked('refused', { amount: '7' }, '/reservations');
  expect([refused.status, refused.body]).toMatchObject([402, { code: 'budget_exceeded', currentSpend: '4', reserved: '0' }]);
});

test('so is who asks by NATS', async () => {
  const asked = async (what: 'check' | 'reserve', id: string) => {
    const headers = natsHeaders();
    headers.set('Bursar-Min-Position', `0:${await madeAfterUsage(id)}`);
    headers.set('Prefer', 'wait=7');
    const body = JSON.stringify({ scopes: [`team:${id}`], amount: '6' });
    return (await nc.request(`budgets.${TENANT}.${what}`, body, { timeout: 9_000, headers })).json();
  };
  expect(await asked('check', 'nats-check')).toMatchObject({ allowed: true, currentSpend: '4', remaining: '6' });
  expect(await asked('reserve', 'nats-reserve')).toMatchObject({ status: 'held', remaining: '0' });
});

test('a count that does not end is waited for so long, and holds up nobody else', async () => {
  // The counter looks for budgets that are not deleted.
  await sql`CREATE FUNCTION hide_budget() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.deleted := true; RETURN NEW; END $$`.execute(at.db);
  await sql`CREATE TRIGGER hide BEFORE INSERT ON projection.budget FOR EACH ROW WHEN (NEW.budget_id = 'never')
    EXECUTE FUNCTION hide_budget()`.execute(at.db);
  const position = await madeAfterUsage('never');
  const timed = async (url: string, path: string, more: Record<string, string> = {}) => {
    const began = performance.now();
    const { status, headers, body } = await send(url, 'POST', path, { scopes: ['team:never'], amount: '1' }, more);
    return { said: [status, body.code, headers.get('retry-after')], ms: performance.now() - began };
  };
  const counting = [503, 'counting', '1'];
  // Folded from here on.
  await send(owner.url, 'POST', `/check?minPosition=0:${position}`, { scopes: ['team:beside'], amount: '1' });
  const waiting = [timed(owner.url, '/check'), timed(owner.url, '/reservations'), timed(other.url, '/check')];
  const beside = await send(owner.url, 'POST', '/check', { scopes: ['team:beside'], amount: '1' });
  expect([beside.status, await Promise.race([...waiting, Promise.resolve('they wait')])]).toEqual([200, 'they wait']);
  const [check, reserve, forwarded] = await Promise.all(waiting);
  expect([check?.said, reserve?.said, forwarded?.said]).toEqual([counting, counting, counting]);
  for (const ms of [check?.ms ?? 0, reserve?.ms ?? 0]) expect(ms).toBeGreaterThanOrEqual(BOUND_MS - 5);
  expect(forwarded?.ms).toBeGreaterThanOrEqual(FORWARDED_MS - 5);
  // Who would not wait is told at once.
  const atOnce = await timed(owner.url, '/check', { prefer: 'wait=0' });
  expect(atOnce.said).toEqual(counting);
  expect(atOnce.ms).toBeLessThan(BOUND_MS / 2);
});
