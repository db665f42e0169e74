import { type BaseRpcContext, type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import type { Bus } from '../bus.js';

/**
 * A transport that hands batches to `@EventPattern` handlers. What it needs may be absent when it starts: listening never fails the
 * boot, consumers come up in the background. Closing lets the batch in hand finish.
 */
export abstract class BatchServer extends Server implements CustomTransportStrategy {
  abstract override readonly transportId: symbol;
  protected readonly closing = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  protected constructor(protected readonly bus: Bus) {
    super();
  }

  /** Runs until {@link closing} aborts, and never rejects. `handle` runs Nest's pipeline around the handler, and rejects as it does. */
  protected abstract consume(name: string, handler: MessageHandler): Promise<void>;

  listen(listening: (error?: unknown) => void): void {
    const handlers = [...this.getHandlers()];
    const twice = handlers.find(([, handler]) => handler.next !== undefined);
    if (twice !== undefined) {
      // Nest would hand the same batch to both, and one could fail after the other has committed.
      listening(new Error(`two handlers consume as ${twice[0]}: each needs a name of its own`));
      return;
    }
    this.#running = Promise.all(handlers.map(([name, handler]) => this.consume(name, handler)));
    listening();
  }

  /** Resolves once no handler runs any more and all is settled. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.#running;
  }

  on(event: string): never {
    throw new Error(`this transport has no event ${event}`);
  }

  /** The bus. */
  unwrap<T>(): T {
    return this.bus as T;
  }

  /** Through Nest's guards, interceptors, pipes and filters. Rejects when any of them, or the handler, does. */
  protected handle(handler: MessageHandler, payload: unknown, context: BaseRpcContext): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.runWithProcessingHooks(context, async (ended) => {
      try {
        await lastValueFrom(this.transformToObservable(await handler(payload, context)), { defaultValue: undefined });
        resolve();
      } catch (error) {
        reject(error);
      } finally {
        ended();
      }
    });
    return promise;
  }
}
