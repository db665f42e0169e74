import { Module } from '@nestjs/common';

/** Routes come from the contract's table, loops from the composition root: Nest brings the platform's filters, health and shutdown. */
@Module({})
export class AppModule {}
