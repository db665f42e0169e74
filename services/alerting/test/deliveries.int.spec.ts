import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Service } from '@bursar/platform';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { bootDelivering, channelSaved, deliveredAs, deliveriesOf, freshTenant, OTHER_SECRET, raise, SECRET } from './support/delivering.js';
import { tell } from './support/events.js';
import { budgetCreated, crossed } from './support/make.js';
import { answering, MailServer, type Received, Receiver } from './support/receivers.js';
import { eventually, startWorld, type World } from './support/world.js';

let world: World;
let service: Service;
let url: string;
let mail: MailServer;
let hook: Receiver;
let files: string;
let tenant: string;

beforeAll(async () => {
  world = await startWorld();
  mail = await MailServer.open();
  files = await mkdtemp(join(tmpdir(), 'bursar-alerts-'));
  service = await bootDelivering(world, { SMTP_URL: mail.url, MAIL_FROM: 'Bursar <alerts@bursar.example>', ALERT_FILES_DIR: files });
  url = await service.app.getUrl();
});
afterAll(async () => {
  await service?.stop();
  await world?.stop();
  await mail?.close();
  await hook?.close();
  await rm(files, { recursive: true, force: true });
});
beforeEach(async () => {
  await hook?.close();
  hook = await Receiver.open();
  tenant = freshTenant();
});

const send = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${world.env.BURSAR_ADMIN_KEY}`, 'bursar-tenant': tenant, ...headers },
  });

/** What a receiver of theirs makes of a request; throws when it does not verify. */
const verify = (secret: string, { headers, body }: Received, tampered = body): unknown =>
  new Webhook(secret).verify(tampered, headers as Record<string, string>);

describe('a webhook', () => {
  test('is Standard Webhooks to their own library, and says what API.md says', async () => {
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: `${hook.url}/in?a=b` })]);
    const alertId = await raise(world, tenant);
    const [delivery] = await deliveredAs(world, tenant, ['delivered']);
    const [request] = hook.received;
    if (request === undefined) throw new Error('nothing came');
    expect(request.path).toBe('/in?a=b');
    expect(request.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': alertId });
    expect(verify(SECRET, request)).toMatchObject({
      type: 'threshold.crossed',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        tenant,
        budget: { id: 'b1', name: 'AI monthly', scope: 'team:ml' },
        alertId,
        type: 'WARNING',
        severity: 'warning',
        percent: 80,
        percentUsed: '80.00',
        currentSpend: '800',
        limit: '1000',
        currency: 'EUR',
        periodStart: '2026-11-01T00:00:00Z',
        periodEnd: '2026-12-01T00:00:00Z',
        resetAt: '2026-12-01T00:00:00Z',
        actions: ['notify'],
        message: 'Warning: Budget at 80.0% (800.0/1000.0 EUR)',
      },
    });
    expect(() => verify(SECRET, request, request.body.replace('"800"', '"900"'))).toThrow();
    expect(() => verify(SECRET, request, JSON.stringify(JSON.parse(request.body), null, 1))).toThrow();
    expect(() => verify(OTHER_SECRET, request)).toThrow();
    expect(delivery?.attempts).toMatchObject([{ number: 1, outcome: 'delivered', status: 204, detail: null }]);
  });

  test('is signed with both secrets while a new one takes over, then with the new one alone', async () => {
    const made = { type: 'webhook', url: hook.url, channelId: 'c1', secrets: [OTHER_SECRET, SECRET] } as const;
    await tell(world.store, [channelSaved(world, tenant, { ...made, secretRotatesUntil: new Date(Date.now() + 60_000).toISOString() })]);
    await raise(world, tenant);
    await deliveredAs(world, tenant, ['delivered']);
    await tell(world.store, [
      channelSaved(world, tenant, { ...made, secretRotatesUntil: new Date(Date.now() - 1_000).toISOString() }),
      crossed(tenant, 'b1', { episode: 2 }),
    ]);
    await deliveredAs(world, tenant, ['delivered', 'delivered']);
    const [during, after] = hook.received;
    if (during === undefined || after === undefined) throw new Error('two did not come');
    expect(String(during.headers['webhook-signature']).split(' ')).toHaveLength(2);
    verify(SECRET, during);
    verify(OTHER_SECRET, during);
    verify(OTHER_SECRET, after);
    expect(() => verify(SECRET, after)).toThrow();
  });

  test('that fails is tried again under the same id, at another instant, each attempt noted', async () => {
    hook.answer = answering(500, 302, 204);
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url })]);
    const alertId = await raise(world, tenant);
    const [delivery] = await deliveredAs(world, tenant, ['delivered']);
    expect(hook.received.map(({ headers }) => headers['webhook-id'])).toEqual([alertId, alertId, alertId]);
    expect(new Set(hook.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3);
    expect(delivery?.attempts.map(({ number, outcome, status }) => [number, outcome, status])).toEqual([
      [1, 'failed', 500],
      [2, 'failed', 302],
      [3, 'delivered', 204],
    ]);
    for (const request of hook.received) verify(SECRET, request);
  });

  test('IN-G26: 410 disables the channel, in the ledger, and what comes after is accounted for', async () => {
    hook.answer = answering(410);
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url, channelId: 'c1' })]);
    await raise(world, tenant);
    await deliveredAs(world, tenant, ['channel_disabled']);
    await eventually(async () => {
      const [row] = await world.db.selectFrom('alerting.channel').select('channel').where('tenant', '=', tenant).execute();
      return row?.channel.disabled !== undefined;
    });
    await tell(world.store, [crossed(tenant, 'b1', { episode: 2 })]);
    await deliveredAs(world, tenant, ['channel_disabled', 'channel_disabled']);
    expect(hook.received).toHaveLength(1);
  });

  test('is sent again on demand: the same id, a new instant; not another tenant’s', async () => {
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url })]);
    const alertId = await raise(world, tenant);
    const [delivery] = await deliveredAs(world, tenant, ['delivered']);
    const path = `alerts/${alertId}/deliveries/${delivery?.delivery_id}/replay`;
    expect((await send('POST', path, { 'bursar-tenant': freshTenant() })).status).toBe(404);
    expect((await send('POST', `alerts/${alertId}/deliveries/nothing/replay`)).status).toBe(404);
    const key = { 'idempotency-key': 'once' };
    const answers = [await send('POST', path, key), await send('POST', path, key)];
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(await answers[0]?.json()).toMatchObject({ id: delivery?.delivery_id, alertId, status: 'pending' });
    await eventually(async () => hook.received.length === 2);
    const [again] = await deliveredAs(world, tenant, ['delivered']);
    expect(again?.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, 'delivered'],
      [2, 'delivered'],
    ]);
    expect(hook.received.map(({ headers }) => headers['webhook-id'])).toEqual([alertId, alertId]);
  });

  test('that hangs or is away delays nobody: not another channel of the tenant, not another tenant', async () => {
    const other = freshTenant();
    const hung = await Receiver.open();
    hung.answer = () => undefined;
    const channels = [
      channelSaved(world, tenant, { type: 'webhook', name: 'hung', url: hung.url }),
      channelSaved(world, tenant, { type: 'webhook', name: 'away', url: 'http://127.0.0.1:1/' }),
      channelSaved(world, tenant, { type: 'webhook', name: 'well', url: hook.url }),
    ];
    await tell(world.store, [...channels, channelSaved(world, other, { type: 'webhook', url: hook.url })]);
    await raise(world, tenant, {}, { episode: 2 }, { episode: 3 }, { episode: 4 });
    await raise(world, other);
    await eventually(async () => hook.received.length === 5);
    const rows = await deliveriesOf(world, tenant);
    expect(rows.filter(({ channel_name }) => channel_name === 'hung').every(({ status }) => status !== 'delivered')).toBe(true);
    // Two at a time, and two wait their turn.
    await eventually(async () => hung.most >= 2);
    expect(hung.most).toBe(2);
    await hung.close();
  });
});

describe('e-mail', () => {
  test('comes as text and HTML, under one Message-ID, and IN-C14: nothing in a name starts a header or a tag', async () => {
    const evil = 'Budget\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>';
    await tell(world.store, [
      channelSaved(world, tenant, { type: 'email', to: ['ops@example.com', 'jo@example.com'] }),
      budgetCreated(tenant, 'b1', { name: evil }),
      crossed(tenant, 'b1', { budgetName: evil }),
    ]);
    await deliveredAs(world, tenant, ['delivered']);
    const [{ parsed, raw, recipients } = { parsed: null, raw: '', recipients: [] }] = mail.mails.splice(0);
    expect(recipients).toEqual(['ops@example.com', 'jo@example.com']);
    expect(parsed?.from?.text).toBe('"Bursar" <alerts@bursar.example>');
    expect(parsed?.messageId).toMatch(/@bursar>$/);
    expect(parsed?.headers.has('bcc')).toBe(false);
    expect(raw).not.toMatch(/^Bcc:/m);
    expect(parsed?.text).toContain('800');
    expect(parsed?.html).not.toContain('<script>');
    expect(parsed?.html).toContain('&lt;script&gt;');
  });

  test('a repeat within the window is held back, recorded, and summed up; another threshold and webhooks are not', async () => {
    await tell(world.store, [
      channelSaved(world, tenant, { type: 'email', to: ['ops@example.com'], rateLimit: { max: 1, per: '8s' } }),
      channelSaved(world, tenant, { type: 'webhook', url: hook.url }),
    ]);
    const at95 = {
      threshold: '95%',
      definition: { percent: '95', severity: 'critical' as const, actions: ['notify' as const] },
      spend: '950',
    };
    await raise(world, tenant, {}, { episode: 2 }, { episode: 3, spend: '830', percentUsed: '83.00' }, at95);
    await eventually(async () => hook.received.length === 4);
    const ofMail = async () => (await deliveriesOf(world, tenant)).filter(({ channel_type }) => channel_type === 'email');
    await eventually(async () => (await ofMail()).some(({ kind, status }) => kind === 'summary' && status === 'delivered'));
    const rows = await ofMail();
    expect(rows.map(({ kind, status }) => `${kind} ${status}`).sort()).toEqual([
      'alert delivered',
      'alert delivered',
      'alert suppressed',
      'alert suppressed',
      'summary delivered',
    ]);
    expect((await world.alerts(tenant)).map(({ suppressed }) => suppressed)).toEqual([false, true, true, false]);
    const summary = mail.mails.splice(0).find(({ parsed }) => parsed.subject?.startsWith('[2 more]'));
    expect(summary?.parsed.text).toContain('2 more notices of this kind');
    expect(summary?.parsed.text).toContain('830');
  });
});

describe('Slack', () => {
  test('gets blocks, and IN-C14: mentions nobody', async () => {
    const evil = '<!channel> <https://evil.example|click> & *bold*';
    await tell(world.store, [
      channelSaved(world, tenant, { type: 'slack', url: `${hook.url}/services/T/B/X` }),
      budgetCreated(tenant, 'b1', { name: evil }),
      crossed(tenant, 'b1', { budgetName: evil }),
    ]);
    await deliveredAs(world, tenant, ['delivered']);
    const [request] = hook.received;
    expect(request?.path).toBe('/services/T/B/X');
    const sent = JSON.parse(request?.body ?? '');
    expect(sent).toMatchObject({
      text: expect.any(String),
      blocks: expect.arrayContaining([expect.objectContaining({ type: 'section' })]),
    });
    const mrkdwn = JSON.stringify(sent.blocks.filter(({ type }: { type: string }) => type === 'section')) + sent.text;
    expect(mrkdwn).not.toMatch(/<!channel>|<https:/);
  });
});

describe('a file', () => {
  test('gets a line per alert in the tenant’s own directory, also after a line that broke off', async () => {
    await mkdir(join(files, tenant, 'team'), { recursive: true });
    const path = join(files, tenant, 'team', 'alerts.ndjson');
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path, '{"broken');
    await tell(world.store, [channelSaved(world, tenant, { type: 'file', url: 'team/alerts.ndjson' })]);
    const alertId = await raise(world, tenant);
    await deliveredAs(world, tenant, ['delivered']);
    const [, line = '', end] = (await readFile(path, 'utf8')).split('\n');
    expect(JSON.parse(line)).toMatchObject({ id: alertId, type: 'threshold.crossed', data: { alertId, tenant } });
    expect(end).toBe('');
  });

  test.each([
    ['the file', 'alerts.ndjson', (home: string, outside: string) => symlink(join(outside, 'stolen.ndjson'), join(home, 'alerts.ndjson'))],
    ['a directory', 'out/alerts.ndjson', (home: string, outside: string) => symlink(outside, join(home, 'out'))],
  ])('is not written through a link: %s', async (_, path, link) => {
    const outside = await mkdtemp(join(tmpdir(), 'bursar-outside-'));
    await mkdir(join(files, tenant), { recursive: true });
    await link(join(files, tenant), outside);
    await tell(world.store, [channelSaved(world, tenant, { type: 'file', url: path })]);
    await raise(world, tenant);
    await eventually(async () => ((await deliveriesOf(world, tenant))[0]?.attempts.length ?? 0) > 0);
    const [delivery] = await deliveriesOf(world, tenant);
    expect(delivery?.attempts[0]).toMatchObject({ outcome: 'refused' });
    expect(await readFile(join(outside, 'stolen.ndjson'), 'utf8').catch(() => null)).toBeNull();
    expect(await readFile(join(outside, 'alerts.ndjson'), 'utf8').catch(() => null)).toBeNull();
    await rm(outside, { recursive: true });
  });
});

describe('what the installation lacks', () => {
  test('is accounted for, with what would have been sent', async () => {
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url })]);
    await raise(world, tenant, {
      definition: { percent: '80', severity: 'warning', actions: ['notify'], channels: ['slack'] },
    });
    const [delivery] = await deliveredAs(world, tenant, ['not_configured']);
    expect(delivery).toMatchObject({
      channel_type: 'slack',
      attempts: [],
      preview: { subject: expect.any(String), text: expect.stringContaining('800') },
    });
    expect(hook.received).toHaveLength(0);
  });

  test('a target that may not be called is refused at each attempt, and nothing is sent', async () => {
    const strict = await bootDelivering(world, { WEBHOOK_ALLOW_PRIVATE_TARGETS: '0' });
    await service.stop();
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url })]);
    await raise(world, tenant);
    await eventually(async () => ((await deliveriesOf(world, tenant))[0]?.attempts.length ?? 0) > 0);
    expect((await deliveriesOf(world, tenant))[0]?.attempts[0]).toMatchObject({ outcome: 'refused', status: null });
    expect(hook.received).toHaveLength(0);
    await strict.stop();
    service = await bootDelivering(world, { SMTP_URL: mail.url, MAIL_FROM: 'Bursar <alerts@bursar.example>', ALERT_FILES_DIR: files });
    url = await service.app.getUrl();
  });
});

describe('POST /channels/:id/test', () => {
  test.each([
    [204, { outcome: 'delivered', status: 204 }],
    [503, { outcome: 'failed', status: 503 }],
  ])('says how it went: %p', async (status, expected) => {
    hook.answer = answering(status);
    await tell(world.store, [channelSaved(world, tenant, { type: 'webhook', url: hook.url, channelId: 'c1', minSeverity: 'critical' })]);
    const answer = await send('POST', 'channels/c1/test');
    expect([answer.status, await answer.json()]).toMatchObject([200, expected]);
    expect(verify(SECRET, hook.received[0] as Received)).toMatchObject({ type: 'channel.test', data: { budget: null, tenant } });
    expect(await deliveriesOf(world, tenant)).toEqual([]);
  });

  test('is 404 for a channel that is not there', async () => {
    expect((await send('POST', 'channels/c1/test')).status).toBe(404);
  });
});
