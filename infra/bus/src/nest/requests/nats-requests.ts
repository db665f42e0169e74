import type { Msg } from '@nats-io/transport-node';
import { MessagePattern, type NatsContext, Transport } from '@nestjs/microservices';
import { takesPayloadAndContext } from '../handler-decorator.js';
import type { EndpointOptions } from './endpoint.js';
import type { Reply } from './reply.js';

/** A request as it came: subject, headers, bytes. */
export type NatsRequest = Pick<Msg, 'subject' | 'headers' | 'data'>;

type RequestHandler = (request: NatsRequest, context: NatsContext) => Reply | Promise<Reply>;

/** Answers a request by itself, without what Nest puts around a handler. */
export type DirectHandler = (request: NatsRequest) => Reply | Promise<Reply>;

/**
 * `MessagePattern` of Nest's NATS transport, with the bytes and headers of the wire on both sides instead of Nest's envelopes, and as
 * an endpoint that NATS services discovery shows. The replicas of a queue group share the requests. The handler takes no parameter
 * decorators.
 */
export const NatsRequests =
  (subject: string, endpoint: EndpointOptions) =>
  <T extends RequestHandler>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<T>): void => {
    takesPayloadAndContext(target, key);
    MessagePattern(subject, Transport.NATS, { ...endpoint })(target, key, descriptor);
  };
