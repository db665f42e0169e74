import type { DynamicModule } from '@nestjs/common';
import { CheckController } from './adapters/http/check.controller.js';
import { ReservationsController } from './adapters/http/reservations.controller.js';
import { CheckResponder } from './adapters/nats/check-responder.js';
import { ReservationsResponder } from './adapters/nats/reservations-responder.js';
import { Check } from './features/check.js';
import { Reserve } from './features/reserve.js';

class AppModule {}

/** Wiring only: loops come from the composition root, and what is not built yet from the contract's table. `isOnBus`: there is NATS. */
export const appModule = (check: Check, reserve: Reserve, isOnBus: boolean): DynamicModule => ({
  module: AppModule,
  controllers: [CheckController, ReservationsController, ...(isOnBus ? [CheckResponder, ReservationsResponder] : [])],
  providers: [
    { provide: Check, useValue: check },
    { provide: Reserve, useValue: reserve },
  ],
});
