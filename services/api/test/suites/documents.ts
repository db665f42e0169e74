import { ROUTES } from '@bursar/contracts/http';
import { describe, expect, test } from '@jest/globals';
import type { Client } from '../support/client.js';
import { expectProblem } from '../support/make.js';
import { ADMIN_KEY } from '../support/system.js';

export const documents = (api: () => Client): void => {
  describe('documents', () => {
    test.each(['/openapi.json', '/api/v1/openapi.json'])('%s describes every route', async (path) => {
      const { status, body } = await api().get(path);
      expect([status, body.openapi]).toEqual([200, expect.stringMatching(/^3\.1\./)]);
      for (const route of ROUTES) {
        const template = route.path.replace(/:([A-Za-z]+)/g, '{$1}');
        expect(body.paths[template]?.[route.method.toLowerCase()]?.operationId).toBe(route.operationId);
      }
    });

    test('the page comes from here whole, and takes the key as a password too', async () => {
      const basic = { headers: { authorization: `Basic ${Buffer.from(`anyone:${ADMIN_KEY}`).toString('base64')}` } };
      const nobody = api().withKey(null);
      const page = await nobody.get('/docs', basic);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.text).not.toMatch(/https?:\/\//);
      const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
      expect(assets.length).toBeGreaterThan(2);
      for (const path of assets) {
        expect((await nobody.get(path, basic)).status).toBe(200);
        expectProblem(await nobody.get(path), 401);
      }
      expectProblem(await nobody.get('/docs', { headers: { authorization: 'Basic bm9ib2R5Og==' } }), 401);
    });
  });
};
