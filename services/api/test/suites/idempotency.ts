import { randomUUID } from 'node:crypto';
import { contentHash, derivedId } from '@bursar/contracts';
import { createDatabase, createPool } from '@bursar/database';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Client } from '../support/client.js';
import { budgetBody, expectProblem, freshTenant, usageOf } from '../support/make.js';

export const idempotency = (api: () => Client, databaseUrl: () => string): void => {
  let acme: Client;
  beforeAll(() => {
    acme = api().as(freshTenant());
  });
  const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });
  const countBudgets = async (client: Client): Promise<number> => (await client.get('budgets?limit=200')).body.data.length;

  describe('Idempotency-Key', () => {
    test('the same request again is the same answer, replayed, and one budget', async () => {
      const tenant = acme.as(freshTenant());
      const first = await tenant.post('budgets', budgetBody(), keyed('k1'));
      const again = await tenant.post('budgets', budgetBody(), keyed('k1'));
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(first.headers.get('idempotent-replayed')).toBeNull();
      expect([again.status, again.text]).toEqual([201, first.text]);
      for (const name of ['etag', 'location', 'bursar-position', 'content-type'])
        expect(again.headers.get(name)).toBe(first.headers.get(name));
      expect(await countBudgets(tenant)).toBe(1);
    });

    test('a key order or white space of its own does not make another body', async () => {
      const body = { type: 'team', id: randomUUID(), name: 'x' };
      const key = randomUUID();
      expect((await acme.post('scopes', body, keyed(key))).status).toBe(201);
      const raw = JSON.stringify({ name: 'x', id: body.id, type: 'team' }, null, 2);
      expect((await acme.post('scopes', undefined, { raw, ...keyed(key) })).headers.get('idempotent-replayed')).toBe('true');
    });

    test('a refusal is an answer too', async () => {
      const body = { type: 'team', id: 'refused', parents: ['team:refused'] };
      expectProblem(await acme.post('scopes', body, keyed('refusal')), 409, 'scope_cycle');
      const again = await acme.post('scopes', body, keyed('refusal'));
      expectProblem(again, 409, 'scope_cycle');
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    });

    test.each([
      ['256 characters', 'k'.repeat(256)],
      ['empty', ''],
      ['blank', '   '],
    ])('IN-A23 a key of %s is none', async (_name, key) => {
      expectProblem(await acme.post('budgets', budgetBody(), keyed(key)), 400, 'idempotency_key');
    });
    test('IN-A23 255 characters are one', async () => {
      expect((await acme.post('scopes', { type: 'team', id: 'long-key' }, keyed('k'.repeat(255)))).status).toBe(201);
    });

    test('IN-A24 the same key with another body, or at another address', async () => {
      await acme.post('scopes', { type: 'team', id: 'a24' }, keyed('a24'));
      expectProblem(await acme.post('scopes', { type: 'team', id: 'a24-2' }, keyed('a24')), 409, 'idempotency_key_reused');
      expectProblem(await acme.post('budgets', budgetBody(), keyed('a24')), 409, 'idempotency_key_reused');
    });

    test('IN-A25 the same key in parallel: one executes, the others hear so or get its answer', async () => {
      const tenant = acme.as(freshTenant());
      const replies = await Promise.all(Array.from({ length: 12 }, () => tenant.post('budgets', budgetBody(), keyed('parallel'))));
      const made = replies.filter(({ status }) => status === 201);
      expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
      for (const reply of replies) if (reply.status !== 201) expectProblem(reply, 409, 'in_flight');
      expect(await countBudgets(tenant)).toBe(1);
    });

    test('on usage it is honoured by its owner, once', async () => {
      const tenant = acme.as(freshTenant());
      const body = usageOf('1');
      const first = await tenant.post('usage', body, keyed('u'));
      const again = await tenant.post('usage', body, keyed('u'));
      expect([first.status, first.body.results[0].status, first.headers.get('idempotent-replayed')]).toEqual([202, 'accepted', null]);
      expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([202, first.text, 'true']);
      expectProblem(await tenant.post('usage', usageOf('2'), keyed('u')), 409, 'idempotency_key_reused');
      expectProblem(await tenant.post('usage', usageOf('2'), keyed('')), 400, 'idempotency_key');
    });

    test('IN-A26 the same key of another tenant is another', async () => {
      const other = acme.as(freshTenant());
      const [mine, theirs] = await Promise.all([
        acme.post('budgets', budgetBody(), keyed('a26')),
        other.post('budgets', budgetBody({ name: 'Theirs' }), keyed('a26')),
      ]);
      expect([mine.status, theirs.status]).toEqual([201, 201]);
      expect(mine.body.id).not.toBe(theirs.body.id);
    });

    describe('after a crash', () => {
      /** A request whose process died: its row says in flight, its lease has run out. `before` is what it got done. */
      const abandoned = async (client: Client, key: string, body: unknown): Promise<string> => {
        const db = createDatabase(createPool(databaseUrl(), { name: 'test', max: 1 }));
        try {
          const fingerprint = contentHash(['createBudget', '/api/v1/budgets', body]);
          const { rows } = await sql<{ created_at: string }>`
            INSERT INTO api.idempotency (tenant, key, fingerprint, created_at, leased_until)
            VALUES (${client.tenant}, ${key}, ${fingerprint}, now() - interval '20 s', now() - interval '5 s') RETURNING created_at`.execute(
            db,
          );
          return rows[0]?.created_at ?? '';
        } finally {
          await db.destroy();
        }
      };

      test('before anything was stored, the next attempt does the work', async () => {
        const tenant = acme.as(freshTenant());
        await abandoned(tenant, 'crashed', budgetBody());
        expect((await tenant.post('budgets', budgetBody(), keyed('crashed'))).status).toBe(201);
        expect(await countBudgets(tenant)).toBe(1);
      });

      test('after the append, the next attempt answers what is there', async () => {
        const tenant = acme.as(freshTenant());
        // Done under the key, and then forgotten as if the answer had never been kept.
        const made = await tenant.post('budgets', budgetBody(), keyed('half-done'));
        const db = createDatabase(createPool(databaseUrl(), { name: 'test', max: 1 }));
        const updated = await sql`
          UPDATE api.idempotency SET status = NULL, headers = NULL, body = NULL, leased_until = now() - interval '1 s'
          WHERE tenant = ${tenant.tenant} AND key = 'half-done'`.execute(db);
        await db.destroy();
        expect(updated.numAffectedRows).toBe(1n);
        const again = await tenant.post('budgets', budgetBody(), keyed('half-done'));
        expect([again.status, again.body.id, again.headers.get('bursar-position')]).toEqual([
          201,
          made.body.id,
          made.headers.get('bursar-position'),
        ]);
        expect(await countBudgets(tenant)).toBe(1);
      });

      test('the id of what is made follows from the key', async () => {
        const tenant = acme.as(freshTenant());
        const since = await abandoned(tenant, 'derived', budgetBody());
        const made = await tenant.post('budgets', budgetBody(), keyed('derived'));
        expect(made.body.id).toBe(derivedId('budget', tenant.tenant, derivedId('request', tenant.tenant, 'derived', since)));
      });

      test('a price list of several events is not loaded twice', async () => {
        const tenant = acme.as(freshTenant());
        const first = await tenant.post('price-lists', { from: 'public-llm' }, keyed('list'));
        const db = createDatabase(createPool(databaseUrl(), { name: 'test', max: 1 }));
        await sql`UPDATE api.idempotency SET status = NULL, leased_until = now() - interval '1 s' WHERE tenant = ${tenant.tenant}`.execute(
          db,
        );
        await db.destroy();
        const again = await tenant.post('price-lists', { from: 'public-llm' }, keyed('list'));
        expect([again.status, again.text]).toEqual([201, first.text]);
        expect((await tenant.get('price-lists')).body.data).toHaveLength(1);
      });
    });
  });
};
