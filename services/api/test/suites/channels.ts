import { randomUUID } from 'node:crypto';
import { ALERT_EVENTS, tenantStream } from '@bursar/contracts';
import { createPool } from '@bursar/database';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem, freshTenant } from '../support/make.js';

const WEBHOOK = { type: 'webhook', name: 'ops', url: 'https://hooks.example.com/bursar?x=1' };
const SLACK = { type: 'slack', name: 'team', url: 'https://hooks.slack.com/services/T000/B000/secretpart' };
const SECRET = /^whsec_[A-Za-z0-9+/]{43}=$/;

export const channels = (api: () => Client, databaseUrl: () => string): void => {
  /** What the ledger holds of a stream, as text. */
  const stored = async (stream: string): Promise<string> => {
    const pool = createPool(databaseUrl(), { name: 'test', max: 1 });
    const { rows } = await pool.query<{ text: string }>('SELECT type || data AS text FROM store.events WHERE stream = $1', [stream]);
    await pool.end();
    return rows.map(({ text }) => text).join();
  };
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('channels', () => {
    test('of every kind are made, listed newest first, read, changed and removed', async () => {
      const tenant = acme.as(freshTenant());
      const bodies = [
        WEBHOOK,
        SLACK,
        { type: 'email', name: 'mail', to: ['ops@example.com', 'jörg@büro.example'], rateLimit: { max: 3, per: '2h' } },
        { type: 'file', name: 'log', url: 'team/alerts.ndjson', events: ['threshold.crossed'], minSeverity: 'critical' },
      ];
      for (const body of bodies) expect((await tenant.post('channels', body)).status).toBe(201);
      const { data, nextCursor } = (await tenant.get('channels')).body;
      expect([data.map(({ name }: { name: string }) => name), nextCursor]).toEqual([['log', 'mail', 'team', 'ops'], null]);
      expect(data[0]).toMatchObject({ ...bodies[3], rateLimit: null, disabled: null });
      expect(data[1]).toMatchObject({ ...bodies[2], events: null, minSeverity: null });

      const [{ id }] = data;
      const read = await tenant.get(`channels/${id}`);
      const tag = { headers: { 'if-match': read.headers.get('etag') ?? '' } };
      const changed = await tenant.patch(`channels/${id}`, { name: 'journal', events: null }, tag);
      expect([changed.status, changed.body.name, changed.body.events]).toEqual([200, 'journal', null]);
      expectProblem(await tenant.patch(`channels/${id}`, { name: 'other' }, tag), 412, 'precondition_failed');
      expect((await tenant.delete(`channels/${id}`)).status).toBe(204);
      expectProblem(await tenant.get(`channels/${id}`), 404, 'not_found');
      expectProblem(await tenant.delete(`channels/${id}`), 404, 'not_found');
    });

    test('pages', async () => {
      const tenant = acme.as(freshTenant());
      for (const name of ['a', 'b', 'c']) await tenant.post('channels', { ...WEBHOOK, name });
      const first = (await tenant.get('channels?limit=2')).body;
      const second = (await tenant.get(`channels?limit=2&cursor=${first.nextCursor}`)).body;
      expect([...first.data, ...second.data].map(({ name }) => name)).toEqual(['c', 'b', 'a']);
      expectProblem(await acme.get(`channels?cursor=${first.nextCursor}`), 400, 'cursor');
    });

    test('a secret is shown once, and lies sealed in the ledger', async () => {
      const tenant = acme.as(freshTenant());
      const own = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
      const made = await tenant.post('channels', WEBHOOK);
      expect(made.body.secret).toMatch(SECRET);
      expect((await tenant.post('channels', { ...WEBHOOK, name: 'own', secret: own })).body.secret).toBe(own);
      expect((await tenant.post('channels', SLACK)).body).not.toHaveProperty('secret');
      const later = [await tenant.get('channels'), await tenant.get(`channels/${made.body.id}`)].map(({ text }) => text).join();
      const kept = await stored(tenantStream(tenant.tenant));
      expect(kept).toContain('ChannelSaved');
      for (const secret of [made.body.secret, own, 'secretpart', 'whsec_']) {
        expect(later).not.toContain(secret);
        expect(kept).not.toContain(secret);
      }
    });

    test('the same request again is the same channel, and does not show the secret again', async () => {
      const tenant = acme.as(freshTenant());
      const once = { headers: { 'idempotency-key': randomUUID() } };
      const [first, second] = [await tenant.post('channels', WEBHOOK, once), await tenant.post('channels', WEBHOOK, once)];
      expect(second.body).toEqual({ ...first.body, secret: undefined });
      expect(second.headers.get('idempotent-replayed')).toBe('true');
      expect((await tenant.get('channels')).body.data).toHaveLength(1);
    });

    test('a new secret is shown once, beside the one before it for a day', async () => {
      const tenant = acme.as(freshTenant());
      const { id, secret } = (await tenant.post('channels', WEBHOOK)).body;
      const rotated = await tenant.patch(`channels/${id}`, { secret: null });
      expect(rotated.body.secret).toMatch(SECRET);
      expect(rotated.body.secret).not.toBe(secret);
      expect(Date.parse(rotated.body.secretRotatesUntil)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
      const renamed = await tenant.patch(`channels/${id}`, { name: 'new name' });
      expect(renamed.body).toMatchObject({ name: 'new name', secretRotatesUntil: rotated.body.secretRotatesUntil });
      expect(renamed.body).not.toHaveProperty('secret');
    });

    test.each([
      ['IN-G23', { url: 'http://hooks.example.com/' }],
      ['IN-G23', { url: 'file:///etc/passwd' }],
      ['IN-G23', { url: 'gopher://example.com/' }],
      ['IN-G23', { url: 'https://user:pw@example.com/' }],
      ['IN-G23', { url: 'https://example.com:6379/' }],
      ['IN-G23', { url: 'https://93.184.216.34/' }],
      ['IN-G24', { url: 'https://127.1/' }],
      ['IN-G24', { url: 'https://2130706433/' }],
      ['IN-G24', { url: 'https://127。0。0。1/' }],
      ['IN-G24', { url: 'https://[::ffff:127.0.0.1]/' }],
      ['IN-G24', { url: 'https://169.254.169.254/latest' }],
      ['IN-G24', { url: 'https://localhost./' }],
      ['IN-G24', { url: 'https://metadata.google.internal/' }],
      ['slack elsewhere', { type: 'slack', url: 'https://slack.example.com/services/x' }],
      ['slack elsewhere', { type: 'slack', url: 'https://hooks.slack.com.example.com/services/x' }],
      ['a file outside', { type: 'file', url: '../other/alerts.ndjson' }],
      ['a file outside', { type: 'file', url: '/etc/passwd' }],
      ['a file outside', { type: 'file', url: 'a/../../b' }],
      ['a file outside', { type: 'file', url: 'a\\..\\b' }],
      ['a hidden file', { type: 'file', url: '.ssh/authorized_keys' }],
    ])('%s: %j is 400 with a pointer', async (_row, more) => {
      const refusal = await acme.post('channels', { ...WEBHOOK, name: randomUUID(), ...more });
      expectProblem(refusal, 400, 'target');
      expect(refusal.body.errors).toMatchObject([{ pointer: '/url', code: 'target' }]);
    });

    test.each([
      ['IN-C14', { to: ['ops@example.com\r\nBcc: all@example.com'] }, 'text_format', '/to/0'],
      ['IN-C14', { to: ['ops@example.com, all@example.com'] }, 'email', '/to/0'],
      ['IN-C14', { to: ['"<all@example.com>" <ops@example.com>'] }, 'email', '/to/0'],
      ['IN-C15', { to: [`${'a'.repeat(300)}!`] }, 'email', '/to/0'],
      ['no host', { to: ['ops@'] }, 'email', '/to/0'],
      ['nobody', { to: [] }, 'too_few', '/to'],
      ['both', { to: ['ops@example.com'], url: 'https://example.com/' }, 'exclusive', '/url'],
      ['a secret', { to: ['ops@example.com'], secret: `whsec_${'A'.repeat(32)}` }, 'exclusive', '/secret'],
      ['a field', { to: ['ops@example.com'], colour: 'red' }, 'unknown_field', '/colour'],
    ])('%s: an e-mail channel with %j is 400', async (_row, more, code, pointer) => {
      const refusal = await acme.post('channels', { type: 'email', name: randomUUID(), ...more });
      expectProblem(refusal, 400, code);
      expect(refusal.body.errors[0]).toMatchObject({ pointer, code });
    });

    test('an event that there are no alerts of is 400, with those that there are; of each other one a channel may choose to hear', async () => {
      const tenant = acme.as(freshTenant());
      const refusal = await tenant.post('channels', { ...WEBHOOK, events: ['threshold.crossed', 'threshhold.crossed'] });
      expectProblem(refusal, 400, 'not_allowed');
      expect(refusal.body.errors).toMatchObject([{ pointer: '/events/1', message: expect.stringContaining('threshold.crossed, ') }]);
      const { body, status } = await tenant.post('channels', { ...WEBHOOK, events: [...ALERT_EVENTS] });
      expect([status, body.events]).toEqual([201, [...ALERT_EVENTS]]);
      expectProblem(await tenant.patch(`channels/${body.id}`, { events: ['all'] }), 400, 'not_allowed');
    });

    test('a secret that is none, a second of one name, another type and another tenant are refused', async () => {
      const tenant = acme.as(freshTenant());
      const { id } = (await tenant.post('channels', WEBHOOK)).body;
      expectProblem(await tenant.post('channels', { ...WEBHOOK, name: 'x', secret: 'hunter2' }), 400, 'secret_format');
      expectProblem(await tenant.post('channels', WEBHOOK), 409, 'already_exists');
      expectProblem(await tenant.patch(`channels/${id}`, { type: 'file', url: 'a.ndjson' }), 400, 'not_allowed');
      expectProblem(await tenant.patch(`channels/${id}`, { url: 'https://127.0.0.1/' }), 400, 'target');
      expectProblem(await acme.as(freshTenant()).get(`channels/${id}`), 404, 'not_found');
      expectProblem(await acme.as(freshTenant()).patch(`channels/${id}`, { name: 'mine' }), 404, 'not_found');
    });
  });
};
