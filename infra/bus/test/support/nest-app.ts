import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

class AppModule {}

/** A Nest application on HTTP (a free port) and these transports, with these controllers, listening. */
export const nestApp = async (
  controllers: readonly Type[],
  transports: readonly CustomTransportStrategy[],
): Promise<NestFastifyApplication> => {
  const module = {
    module: AppModule,
    controllers: [...controllers],
  };
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { logger: false, abortOnError: false });
  for (const strategy of transports) app.connectMicroservice({ strategy });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  return app;
};
