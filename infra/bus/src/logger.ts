/** The part of a pino logger that the bus uses. */
export type Logger = Readonly<{
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}>;

export const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
