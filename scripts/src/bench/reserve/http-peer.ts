/**
 * A bare Fastify server, as a process of its own: `GET /` answers at once; `POST /reserve` validates a body and reserves in Redis by Lua.
 * Prints its port.
 */
import Fastify from 'fastify';
import { z } from 'zod';
import { luaClient, reserveByLua } from './redis-lua.ts';

const Body = z.strictObject({ scopes: z.array(z.string()).min(1), amount: z.string(), ttlSeconds: z.number().int() });

const server = Fastify({ logger: false });
const redisPort = process.argv[2];
const redis = redisPort === undefined ? null : await luaClient(Number(redisPort));
server.get('/', async () => ({ ok: true }));
server.post('/reserve', async (request, reply) => {
  Body.parse(request.body);
  if (redis === null) throw new Error('there is no Redis');
  return reply
    .code(201)
    .type('application/json')
    .send(await reserveByLua(redis));
});
await server.listen({ host: '127.0.0.1', port: 0 });
const address = server.server.address();
process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
