import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { traceFields } from '../trace/trace-scope.js';

/** JSON lines on stdout. Its own Nest token. */
export abstract class Logger {
  abstract debug(fields: object, message: string): void;
  abstract info(fields: object, message: string): void;
  abstract warn(fields: object, message: string): void;
  abstract error(fields: object, message: string): void;
  abstract fatal(fields: object, message: string): void;
}

/** Addresses with a password, bearer credentials and our own keys never reach a log, wherever an error message quotes them. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/(\w+:\/\/)[^\s/@]+@/g, '$1***@'],
  [/(bearer\s+)[^\s"']+/gi, '$1***'],
  [/\b(bsr_|whsec_)[A-Za-z0-9_+/=-]+/g, '$1***'],
];
export const scrub = (text: string): string => SECRETS.reduce((clean, [pattern, by]) => clean.replace(pattern, by), text);

type SerializedError = Readonly<{ type: string; message: string; code?: unknown; stack?: string; cause?: SerializedError }>;

/** An allow-list: errors of drivers carry the query's parameters, connection settings and more. */
const serializeError = (error: unknown): SerializedError => {
  if (!(error instanceof Error)) return { type: typeof error, message: scrub(String(error)) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: scrub(error.message),
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: scrub(error.stack) }),
    ...(error.cause !== undefined && { cause: serializeError(error.cause) }),
  };
};

/** What is logged while a request is being worked on names its trace. `to`: stdout. */
export const createLogger = (service: string, level: string, to?: DestinationStream): PinoLogger =>
  pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      mixin: () => traceFields(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
    },
    to ?? pino.destination(1),
  );

/** Nest's own words, at debug: what it says while booting is of no use to an operator. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}
  log(message: unknown, ...context: unknown[]): void {
    this.logger.debug({ context: context.at(-1) }, String(message));
  }
  debug(message: unknown, ...context: unknown[]): void {
    this.log(message, ...context);
  }
  verbose(message: unknown, ...context: unknown[]): void {
    this.log(message, ...context);
  }
  warn(message: unknown, ...context: unknown[]): void {
    this.logger.warn({ context: context.at(-1) }, scrub(String(message)));
  }
  error(message: unknown, ...context: unknown[]): void {
    const fields = message instanceof Error ? { err: message } : {};
    this.logger.error({ ...fields, context: context.at(-1) }, scrub(String(message)));
  }
  fatal(message: unknown, ...context: unknown[]): void {
    this.logger.fatal({ context: context.at(-1) }, scrub(String(message)));
  }
}
