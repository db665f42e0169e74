import { routeOf, showDelivery } from '@bursar/contracts/http';
import { Caller, type KeyUse, Once, type Principal, Problem, readRequest, writeAnswer } from '@bursar/platform';
import { Controller, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Dispatcher } from '../../features/delivery/dispatcher.js';
import { Deliveries } from '../../features/delivery/ports.js';
import { TestChannel } from '../../features/delivery/test-channel.js';

const REPLAY = routeOf('replayDelivery');
const TEST = routeOf('testChannel');
const ReplayParams = z.object({ params: z.object({ id: z.string(), deliveryId: z.string() }) });
/** What no delivery has as its id is found nowhere, and not asked for. */
const UUID = z.uuid();

/** What goes out on somebody's word. */
@Controller()
export class DeliveriesController {
  constructor(
    private readonly deliveries: Deliveries,
    private readonly dispatcher: Dispatcher,
    private readonly testChannel: TestChannel,
    private readonly once: Once,
  ) {}

  @Post(REPLAY.path)
  replay(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() { tenant }: Principal,
  ): Promise<Buffer | undefined> {
    const { params } = ReplayParams.parse(readRequest(REPLAY, request));
    return this.#answer(request, reply, { tenant, operationId: REPLAY.operationId }, 202, async () => {
      const areIds = UUID.safeParse(params.id).success && UUID.safeParse(params.deliveryId).success;
      const found = areIds ? await this.deliveries.replay(tenant, params.id, params.deliveryId) : null;
      if (found === null) throw new Problem('not_found', 'There is no such delivery.');
      if (found === 'busy') throw new Problem('conflict', 'It is being sent at this moment.', { retryAfter: 1 });
      if (found === 'gone') throw new Problem('in_use', 'Its channel has been removed.');
      this.dispatcher.wake();
      return showDelivery(found);
    });
  }

  @Post(TEST.path)
  test(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() { tenant }: Principal,
    @Param('id') id: string,
  ): Promise<Buffer | undefined> {
    readRequest(TEST, request);
    return this.#answer(request, reply, { tenant, operationId: TEST.operationId }, 200, async () => {
      const result = await this.testChannel.execute(tenant, id);
      if (result === null) throw new Problem('not_found', 'There is no such channel.');
      return result;
    });
  }

  async #answer(
    request: FastifyRequest,
    reply: FastifyReply,
    use: Pick<KeyUse, 'tenant' | 'operationId'>,
    status: number,
    work: () => Promise<object>,
  ): Promise<Buffer | undefined> {
    const answer = async () => ({
      status,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(await work()),
    });
    const key = request.idempotencyKey;
    if (key === null) return writeAnswer(reply, await answer());
    return this.once.answer({ ...use, key, body: request.body }, request, reply, answer);
  }
}
