import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { send, usage } from './support/usage-client.js';
import { freshTenant, openWorld, type World } from './support/world.js';

/** RELIABILITY T23: whatever the body, an answer that makes sense: never a 5xx, and only what was accepted is stored. */

let world: World;
let url = '';
beforeAll(async () => {
  world = await openWorld();
  ({ url } = await world.replica());
});
afterAll(() => world.close());

const full = (): Record<string, unknown> =>
  usage({
    occurredAt: new Date().toISOString(),
    meter: 'llm.tokens',
    category: 'c',
    description: 'é😀',
    quantities: { inputTokens: 5, outputTokens: '7' },
    dimensions: { model: 'gpt-4o' },
    status: 'failed',
    reservationId: 'r',
    metadata: { deep: { er: [1, null, true, 1e-7] } },
  });

const check = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<void> => {
  const tenant = freshTenant();
  const answer = await send(url, body, { tenant, headers });
  expect([200, 202, 400, 415]).toContain(answer.status);
  const accepted = answer.status === 202 ? answer.body.results.filter(({ status }) => status === 'accepted').length : 0;
  expect(await world.usageOf(tenant)).toHaveLength(accepted);
};

test('bytes of a good body changed, cut, doubled and inserted', async () => {
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.constantFrom('set', 'cut', 'insert', 'double'),
    byte: fc.nat({ max: 255 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.boolean(), async (mutations, batch) => {
      let bytes = Buffer.from(JSON.stringify(batch ? { events: [full(), full()] } : full()));
      for (const { at, kind, byte } of mutations) {
        const index = Math.floor(at * bytes.length);
        const [before, after] = [bytes.subarray(0, index), bytes.subarray(index)];
        if (kind === 'set') bytes = Buffer.concat([before, Buffer.from([byte]), after.subarray(1)]);
        else if (kind === 'cut') bytes = Buffer.concat([before, after.subarray(1)]);
        else if (kind === 'insert') bytes = Buffer.concat([before, Buffer.from([byte]), after]);
        else bytes = Buffer.concat([before, after, after]);
      }
      await check(new Uint8Array(bytes));
    }),
    { numRuns: 300 },
  );
});

test('any JSON in place of any field, of the event, of the events and of the body', async () => {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom('9'.repeat(30), '1e5', '', ' ', -0, 1e21, 0.1, Number.MAX_SAFE_INTEGER, [], {}, null, true),
  );
  const body = fc.oneof(
    fc.tuple(fc.constantFrom(...Object.keys(full()), 'colour'), anything).map(([key, value]) => ({ ...full(), [key]: value })),
    anything,
    fc.array(anything, { maxLength: 5 }).map((events) => ({ events: [full(), ...events] })),
    anything.map((events) => ({ events })),
  );
  const types = ['application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json'];
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(...types), (value, type) => check(JSON.stringify(value), { 'content-type': type })),
    { numRuns: 300 },
  );
});

test('any attributes of a CloudEvent, structured and binary', async () => {
  const value = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('1.0', 'bursar.usage.v1', 'team:ml', new Date().toISOString(), '%zz', '%F0%9F%98%80'),
  );
  const names = ['specversion', 'id', 'source', 'type', 'time', 'subject', 'datacontenttype', 'dataschema', 'traceparent', 'tenantid'];
  const good = { specversion: '1.0', id: 'x', source: 's', type: 'bursar.usage.v1' };
  const { id: _id, source: _source, ...data } = full();
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5, noNullPrototype: true }), async (attributes) => {
      await check(JSON.stringify({ ...good, ...attributes, data }), { 'content-type': 'application/cloudevents+json' });
      const headers = Object.entries({ ...good, ...attributes }).map(([name, text]) => [`ce-${name}`, text.replace(/[^ -~]/g, '?')]);
      await check(JSON.stringify(data), Object.fromEntries(headers));
    }),
    { numRuns: 150 },
  );
});
