import { type ReservationBody, routeOf } from '@bursar/contracts/http';
import { Caller, type Principal, writeAnswer } from '@bursar/platform';
import { Controller, Delete, Get, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Reserve } from '../../features/reserve.js';
import { read, wayOf } from './way.js';

const ROUTES = { reserve: routeOf('reserve'), find: routeOf('getReservation'), release: routeOf('releaseReservation') };

@Controller()
export class ReservationsController {
  constructor(private readonly reservations: Reserve) {}

  @Post(ROUTES.reserve.path)
  async reserve(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Caller() caller: Principal) {
    const { query, body } = read(ROUTES.reserve, request);
    const way = wayOf(request, caller, query);
    const answer = await this.reservations.reserve(body as z.output<typeof ReservationBody>, way, request.idempotencyKey);
    return writeAnswer(reply, answer);
  }

  @Get(ROUTES.find.path)
  async find(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Caller() caller: Principal) {
    const { params, query } = read(ROUTES.find, request);
    return writeAnswer(reply, await this.reservations.find(idOf(params), wayOf(request, caller, query)));
  }

  @Delete(ROUTES.release.path)
  async release(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply, @Caller() caller: Principal) {
    const { params } = read(ROUTES.release, request);
    return writeAnswer(reply, await this.reservations.release(idOf(params), wayOf(request, caller, {})));
  }
}

const idOf = (params: unknown): string => (params as { id: string }).id;
