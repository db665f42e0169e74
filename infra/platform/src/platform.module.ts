import type { DynamicModule, Type } from '@nestjs/common';
import { Logger } from './ops/logger.js';
import { Metrics } from './ops/metrics.js';
import { Readiness } from './ops/readiness.js';

class PlatformModule {}
class RootModule {}

type Shared = Readonly<{ logger: Logger; metrics: Metrics; readiness: Readiness }>;

/** The service's module beside a global one with what each service shares. */
export const platformModule = (service: Type | DynamicModule, { logger, metrics, readiness }: Shared): DynamicModule => ({
  module: RootModule,
  imports: [
    {
      module: PlatformModule,
      global: true,
      providers: [
        { provide: Logger, useValue: logger },
        { provide: Metrics, useValue: metrics },
        { provide: Readiness, useValue: readiness },
      ],
      exports: [Logger, Metrics, Readiness],
    },
    service,
  ],
});
