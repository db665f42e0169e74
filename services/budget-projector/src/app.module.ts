import type { DynamicModule } from '@nestjs/common';
import { CheckController } from './adapters/http/check.controller.js';
import { CheckResponder } from './adapters/nats/check-responder.js';
import { Check } from './features/check.js';

class AppModule {}

/** Wiring only: loops come from the composition root, and what is not built yet from the contract's table. `isOnBus`: there is NATS. */
export const appModule = (check: Check, isOnBus: boolean): DynamicModule => ({
  module: AppModule,
  controllers: [CheckController, ...(isOnBus ? [CheckResponder] : [])],
  providers: [{ provide: Check, useValue: check }],
});
