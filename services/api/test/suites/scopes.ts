import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, WAIT } from '../support/client.js';
import { expectProblem, freshTenant, makeBudget, usageOf } from '../support/make.js';

export const scopes = (api: () => Client): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });
  const register = (type: string, id: string, ...parents: string[]) => acme.post('scopes', { type, id, parents });

  describe('the registry', () => {
    test('a scope is registered, read, described, moved and removed', async () => {
      const made = await acme.post('scopes', {
        type: 'team',
        id: 'ml',
        parents: ['department:rnd'],
        name: 'ML',
        attributes: { site: 'Graz' },
      });
      expect(made.status).toBe(201);
      const expected = { scope: 'team:ml', type: 'team', id: 'ml', parents: ['department:rnd'], name: 'ML', attributes: { site: 'Graz' } };
      expect(made.body).toEqual(expected);
      const read = await acme.get('scopes/team/ml');
      expect(read.body).toEqual(expected);
      expect(read.headers.get('etag')).toBe(made.headers.get('etag'));

      const patched = await acme.patch('scopes/team/ml', {
        parents: ['department:ops', 'project:x'],
        name: null,
        attributes: { floor: '3' },
      });
      const after = { parents: ['department:ops', 'project:x'], name: null, attributes: { site: 'Graz', floor: '3' } };
      expect([patched.status, patched.body]).toEqual([200, { ...expected, ...after }]);
      expect((await acme.get('scopes/team/ml')).body).toEqual({ ...expected, ...after });

      expectProblem(await acme.patch('scopes/team/ml', { name: 'x' }, { headers: { 'if-match': made.headers.get('etag') ?? '' } }), 412);
      const current = patched.headers.get('etag') ?? '';
      expect((await acme.delete('scopes/team/ml', { headers: { 'if-match': current } })).status).toBe(204);
      expectProblem(await acme.get('scopes/team/ml'), 404, 'not_found');
      expectProblem(await acme.patch('scopes/team/ml', { name: 'x' }), 404, 'not_found');
    });

    test('ids are any text, also in paths', async () => {
      const id = "a/b:c d%_'é😀";
      expect((await register('user', id)).status).toBe(201);
      expect((await acme.get(`scopes/user/${encodeURIComponent(id)}`)).body).toMatchObject({ scope: `user:${id}`, id });
    });

    test('lists page by filters', async () => {
      const tenant = acme.as(freshTenant());
      for (const id of ['c', 'a', 'b']) await tenant.post('scopes', { type: 'team', id, parents: ['org:o'] });
      await tenant.post('scopes', { type: 'org', id: 'o', name: 'Organisation' });
      const ids = (body: { data: { scope: string }[] }) => body.data.map(({ scope }) => scope);
      const first = await tenant.get('scopes?limit=3');
      expect(ids(first.body)).toEqual(['org:o', 'team:a', 'team:b']);
      expect(ids((await tenant.get(`scopes?limit=3&cursor=${first.body.nextCursor}`)).body)).toEqual(['team:c']);
      expect(ids((await tenant.get('scopes?type=org')).body)).toEqual(['org:o']);
      expect(ids((await tenant.get('scopes?parent=org:o')).body)).toEqual(['team:a', 'team:b', 'team:c']);
      expect(ids((await tenant.get('scopes?q=organi')).body)).toEqual(['org:o']);
      expect(ids((await tenant.as(freshTenant()).get('scopes')).body)).toEqual([]);
    });

    test('the implicit root is there, and is nobody’s to register, move or remove', async () => {
      const root = `scopes/tenant/${acme.tenant}`;
      expect((await acme.get(root)).body).toMatchObject({ scope: `tenant:${acme.tenant}`, parents: [] });
      expectProblem(await register('tenant', acme.tenant), 409, 'already_exists');
      expectProblem(await acme.patch(root, { name: 'x' }), 409);
      expectProblem(await acme.delete(root), 409);
      for (const reply of [await acme.get('scopes/tenant/other'), await acme.patch('scopes/tenant/other', { name: 'x' })]) {
        expectProblem(reply, 404, 'not_found');
      }
    });
  });

  describe('bad scopes', () => {
    test.each<[string, object, string]>([
      ['type of upper case', { type: 'Team', id: 'x' }, '/type'],
      ['type of 33 characters', { type: 't'.repeat(33), id: 'x' }, '/type'],
      ['IN-C1 id absent', { type: 'team' }, '/id'],
      ['IN-C1 id blank', { type: 'team', id: '  ' }, '/id'],
      ['id of 129 characters', { type: 'team', id: 'x'.repeat(129) }, '/id'],
      ['IN-C2 id with NUL', { type: 'team', id: 'a\u0000' }, '/id'],
      ['parents that are none', { type: 'team', id: 'x', parents: 'org:o' }, '/parents'],
      ['a parent that is no scope', { type: 'team', id: 'x', parents: ['o'] }, '/parents/0'],
      ['17 parents', { type: 'team', id: 'x', parents: Array.from({ length: 17 }, (_, index) => `org:${index}`) }, '/parents'],
      ['IN-C7 unknown field', { type: 'team', id: 'x', tenant_id: 'y' }, '/tenant_id'],
      ['IN-C9 nested attribute', { type: 'team', id: 'x', attributes: { a: { b: 1 } } }, '/attributes/a'],
      ['IN-C9 attribute of 1,025 characters', { type: 'team', id: 'x', attributes: { a: 'x'.repeat(1_025) } }, '/attributes/a'],
    ])('%s', async (_name, body, pointer) => expectProblem(await acme.post('scopes', body), 400, undefined, pointer));

    test('IN-G3 a scope is not its own parent, nor below itself', async () => {
      expectProblem(await register('self', '1', 'self:1'), 409, 'scope_cycle');
      await register('cycle', 'a');
      await register('cycle', 'b', 'cycle:a');
      await register('cycle', 'c', 'cycle:b');
      expectProblem(await acme.patch('scopes/cycle/a', { parents: ['cycle:c'] }), 409, 'scope_cycle');
      expect((await acme.get('scopes/cycle/a')).body.parents).toEqual([]);
    });

    test('IN-G3 two parallel moves that would close a cycle together: never both', async () => {
      for (let round = 0; round < 8; round += 1) {
        const [a, b] = [`a${round}`, `b${round}`];
        await register('loop', a);
        await register('loop', b);
        const replies = await Promise.all([
          acme.patch(`scopes/loop/${a}`, { parents: [`loop:${b}`] }),
          acme.patch(`scopes/loop/${b}`, { parents: [`loop:${a}`] }),
        ]);
        expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
        const parents = await Promise.all([acme.get(`scopes/loop/${a}`), acme.get(`scopes/loop/${b}`)]);
        expect(parents.filter(({ body }) => body.parents.length > 0)).toHaveLength(1);
      }
    });

    test('of twenty parallel registrations of one scope one is made', async () => {
      const replies = await Promise.all(Array.from({ length: 20 }, () => register('once', 'x')));
      expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    });

    test('IN-G4 nine scopes deep is refused', async () => {
      for (let level = 1; level <= 8; level += 1) {
        expect((await register('deep', String(level), ...(level === 1 ? [] : [`deep:${level - 1}`]))).status).toBe(201);
      }
      expectProblem(await register('deep', '9', 'deep:8'), 400, 'too_many', '/parents');
    });

    test('IN-G5 a parent of another tenant is not found', async () => {
      expectProblem(await register('team', 'g5', 'tenant:other'), 404, 'not_found');
    });

    test('IN-G9 a scope with children is not removed', async () => {
      await register('g9', 'parent');
      await register('g9', 'child', 'g9:parent');
      expectProblem(await acme.delete('scopes/g9/parent'), 409, 'in_use');
      await acme.delete('scopes/g9/child');
      expect((await acme.delete('scopes/g9/parent')).status).toBe(204);
    });

    test('paths that name nothing', async () => {
      for (const path of [
        'scopes/Team/x',
        'scopes/team/%00',
        'scopes/team/%20',
        `scopes/team/${'x'.repeat(129)}`,
        'budgets/hierarchy/Team/x',
        'budgets/scope/t$/x',
      ]) {
        expectProblem(await acme.get(path), 404, 'not_found');
      }
      expectProblem(await acme.get('scopes/team/%zz'), 400);
    });
  });

  describe('the tree', () => {
    test('shows spend and budgets at every level, under each parent, and a move binds from then on', async () => {
      const tenant = acme.as(freshTenant());
      await tenant.post('scopes', { type: 'org', id: 'a', name: 'A' });
      await tenant.post('scopes', { type: 'org', id: 'b' });
      await tenant.post('scopes', { type: 'team', id: 'ml', parents: ['org:a', 'org:b'] });
      const { id } = await makeBudget(tenant, { scope: 'org:a', name: 'Of A' });
      await makeBudget(tenant, { scope: 'user:free', name: 'Of nobody registered' });
      await tenant.record(usageOf('1.5'), usageOf('0.25', { scopes: ['user:wild'] }));
      await tenant.patch('scopes/team/ml', { parents: ['org:b'] });
      const position = await tenant.record(usageOf('2'));

      const tree = await tenant.get(`budgets/hierarchy/tenant/${tenant.tenant}?minPosition=${position}`, WAIT);
      const usd = (amount: string) => [{ amount, currency: 'USD' }];
      const find = (node: { scope: string; children: never[] }, scope: string): Record<string, unknown> | undefined =>
        node.scope === scope ? node : node.children.map((child) => find(child, scope)).find((found) => found !== undefined);
      expect(tree.body).toMatchObject({
        scope: `tenant:${tenant.tenant}`,
        type: 'tenant',
        id: tenant.tenant,
        spend: usd('3.75'),
        budgets: [],
      });
      expect(tree.body.children.map(({ scope }: { scope: string }) => scope)).toEqual(['org:a', 'org:b', 'user:free', 'user:wild']);
      expect(find(tree.body, 'org:a')).toMatchObject({
        name: 'A',
        spend: usd('1.5'),
        budgets: [{ id, name: 'Of A', currency: 'USD', currentSpend: '1.5', remaining: '998.5' }],
        children: [],
      });
      expect(find(tree.body, 'org:b')).toMatchObject({ spend: usd('3.5'), children: [{ scope: 'team:ml', spend: usd('3.5') }] });
      expect(find(tree.body, 'user:free')).toMatchObject({ spend: [], budgets: [{ name: 'Of nobody registered' }] });
      expect(find(tree.body, 'user:wild')).toMatchObject({ spend: usd('0.25') });

      const below = async () =>
        (await tenant.get(`budgets/hierarchy/tenant/${tenant.tenant}`)).body.children.map(({ scope }: { scope: string }) => scope);
      await tenant.post('scopes', { type: 'user', id: 'wild', parents: ['org:a'] });
      expect(await below()).toEqual(['org:a', 'org:b', 'user:free']);
      await tenant.delete('scopes/user/wild');
      expect(await below()).toEqual(['org:a', 'org:b', 'user:free', 'user:wild']);

      const part = await tenant.get('budgets/hierarchy/org/b');
      expect(part.body).toMatchObject({ scope: 'org:b', spend: usd('3.5'), children: [{ scope: 'team:ml', children: [] }] });
      expect((await tenant.get('budgets/hierarchy/team/unknown')).body).toMatchObject({ scope: 'team:unknown', spend: [], children: [] });
      expectProblem(await tenant.get('budgets/hierarchy/tenant/other'), 404, 'not_found');
    });
  });
};
