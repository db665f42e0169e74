import { Catch, type ExceptionFilter, UseFilters } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { type Observable, throwError } from 'rxjs';

/** What a handler of batches looks like. It may take fewer arguments. */
export type BatchHandler<P, C> = (payload: P, context: C) => Promise<void>;

/**
 * A method decorator that knows the handler's arguments. Nest's own type for `EventPattern` takes no handler of arrays (TS1241), and
 * a descriptor of exactly {@link BatchHandler} would refuse a method with fewer arguments: hence the type parameter.
 */
export type HandlerDecorator<P, C> = <T extends BatchHandler<P, C>>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/** Nest hides errors of message handlers from their transport (`Internal server error`). Ours must see them: they decide about acknowledgements. */
@Catch()
class FaultsPassOn implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** `EventPattern` for one of our transports, its errors passed on to it. `extras` reach the transport as `handler.extras`. */
export const batchPattern = <P, C>(pattern: string, transport: symbol, extras: object): HandlerDecorator<P, C> => {
  const decorators = [UseFilters(new FaultsPassOn()), EventPattern(pattern, transport, extras as never) as MethodDecorator];
  return (target, key, descriptor) => {
    takesPayloadAndContext(target, key);
    for (const decorate of decorators) decorate(target, key, descriptor);
  };
};

/** Without parameter decorators Nest gives a message handler its payload alone. */
export const takesPayloadAndContext = (target: object, key: string | symbol): void => {
  Payload()(target, key, 0);
  Ctx()(target, key, 1);
};
