import { randomUUID } from 'node:crypto';
import { Redis, type Result } from 'ioredis';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    reserveOnAll(org: string, team: string, user: string, id: string, amount: string, expiresAt: string): Result<string, Context>;
  }
}

/**
 * The usual shape of a hierarchical reservation in Redis, in one atomic script: check every level, take it on every level, write the reservation with its
 * expiry, answer JSON. Whole numbers of micro units, since Lua has doubles.
 */
const RESERVE = `
local amount = tonumber(ARGV[2])
for i = 1, 3 do
  local f = redis.call('HMGET', KEYS[i], 'limit', 'spend', 'held')
  local room = tonumber(f[1]) - tonumber(f[2] or '0') - tonumber(f[3] or '0')
  if amount > room then return cjson.encode({granted = false, scope = KEYS[i], remaining = room}) end
end
for i = 1, 3 do redis.call('HINCRBY', KEYS[i], 'held', amount) end
redis.call('HSET', 'r:' .. ARGV[1], 'amount', amount, 'org', KEYS[1], 'team', KEYS[2], 'user', KEYS[3], 'expires', ARGV[3])
redis.call('ZADD', 'expiring', ARGV[3], ARGV[1])
return cjson.encode({granted = true, reservationId = ARGV[1], expiresAt = ARGV[3]})`;

/** A client that knows the script, on three levels with room for all that a benchmark asks. */
export const luaClient = async (port: number): Promise<Redis> => {
  const client = new Redis({ port, enableAutoPipelining: false });
  client.defineCommand('reserveOnAll', { numberOfKeys: 3, lua: RESERVE });
  for (const key of ['org', 'team', 'user']) await client.hset(key, 'limit', String(10 ** 15), 'spend', '0', 'held', '0');
  return client;
};

/** One reservation, of one micro unit. Throws when it is refused. */
export const reserveByLua = async (client: Redis): Promise<string> => {
  const answer = await client.reserveOnAll('org', 'team', 'user', randomUUID(), '1', String(Date.now() + 3_600_000));
  if (!answer.includes('"granted":true')) throw new Error(`Redis refused: ${answer}`);
  return answer;
};
