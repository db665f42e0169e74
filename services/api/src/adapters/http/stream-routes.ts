import { PassThrough } from 'node:stream';
import { routeOf, type StreamQuery } from '@bursar/contracts/http';
import { callerOf, Problem, readRequest } from '@bursar/platform';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sseOpening } from '../../domain/sse.js';
import { formatCursor, readCursor, type StreamCursor } from '../../domain/stream-cursor.js';
import type { LiveFeeds } from '../../features/live/live-feeds.js';

const RETRY_MS = 3_000;

/** `GET /stream`: no Nest controller, because it answers for as long as somebody listens. */
export const registerStream = (fastify: FastifyInstance, feeds: LiveFeeds): void => {
  const route = routeOf('stream');
  fastify.get(route.path, async (request, reply) => {
    const { topics, scope = null } = readRequest(route, request).query as StreamQuery;
    const from = lastEventId(request);
    const out = new PassThrough();
    // The client may be gone before anything was sent. (A request is closed once it has arrived; an answer, once nobody reads it.)
    reply.raw.once('close', () => out.destroy());
    out.on('error', () => undefined);
    const opening = (cursor: StreamCursor): void => void out.write(sseOpening(RETRY_MS, formatCursor(cursor)));
    await feeds.subscribe(callerOf(request).tenant, { topics: new Set(topics), scope }, from, out, opening);
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store, no-transform')
      .header('x-accel-buffering', 'no')
      .send(out);
  });
  // Before the server waits for its connections to end.
  fastify.addHook('preClose', (done) => {
    feeds.close();
    done();
  });
};

/** Where a client was; null when it is new. Throws 400 for what no stream of ours gave out. */
const lastEventId = (request: FastifyRequest): StreamCursor | null => {
  const header = request.headers['last-event-id'];
  if (header === undefined || header === '') return null;
  const cursor = typeof header === 'string' ? readCursor(header) : null;
  if (cursor === null) throw new Problem('position_format', 'Last-Event-ID is none that this stream has given.');
  return cursor;
};
