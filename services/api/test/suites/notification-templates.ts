import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem, freshTenant } from '../support/make.js';

/** What notices say (PRODUCT D6), and that a tenant may say it otherwise. */
export const notificationTemplates = (api: () => Client): void => {
  const EVENT = 'notification-templates/threshold.crossed';
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });

  describe('notification templates', () => {
    test('are shipped, by event', async () => {
      const { status, body } = await acme.get(EVENT);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        event: 'threshold.crossed',
        isDefault: true,
        html: null,
        placeholders: expect.arrayContaining(['spend', 'resets']),
      });
      expect(body.text).toContain('{{next}}');
      expectProblem(await acme.get('notification-templates/none'), 404, 'not_found');
    });

    test('a tenant’s own are in force at once, for that tenant alone, until they are removed', async () => {
      const own = { subject: 'Budget {{budget}}', text: 'Spent {{spend}}\nof {{limit}}', html: '<p>{{spend}}</p>' };
      const saved = await acme.put(EVENT, own);
      expect([saved.status, saved.body]).toMatchObject([200, { ...own, isDefault: false }]);
      expect((await acme.get(EVENT)).body).toEqual(saved.body);
      expect((await acme.as(freshTenant()).get(EVENT)).body.isDefault).toBe(true);
      expect((await acme.delete(EVENT)).status).toBe(204);
      expect((await acme.get(EVENT)).body.isDefault).toBe(true);
    });

    test('of the tenant profile are that profile’s', async () => {
      const tenant = acme.as(freshTenant());
      await tenant.put(`tenants/${tenant.tenant}/settings`, { profile: 'tenant' });
      expect((await tenant.get(EVENT)).body.subject).toBe('Budget Alert: {{threshold}} LLM Usage Reached');
    });

    test.each([
      ['an unknown placeholder', { subject: 's', text: '{{spent}}' }, 'placeholder_unknown', '/text'],
      ['code', { subject: '{{#each x}}', text: 't' }, 'placeholder_malformed', '/subject'],
      ['a script', { subject: 's', text: 't', html: '<script>1</script>' }, 'active_content', '/html'],
      ['a value inside a tag', { subject: 's', text: 't', html: '<a href="{{reason}}">x</a>' }, 'placeholder_malformed', '/html'],
      ['a header in the subject', { subject: 'a\r\nBcc: b@c.example', text: 't' }, 'text_format', '/subject'],
      ['nothing', { subject: 's', text: ' ' }, 'text_format', '/text'],
      ['another field', { subject: 's', text: 't', code: 'x' }, 'unknown_field', '/code'],
    ])('%s is 400', async (_what, body, code, pointer) => {
      expectProblem(await acme.put(EVENT, body), 400, code, pointer);
    });
  });
};
