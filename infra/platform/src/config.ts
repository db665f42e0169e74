import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** A variable that is wrong stops the boot; all of them are named at once. Values are never shown: some are secrets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`configuration is not valid: ${problems.join('; ')}`);
  }
}

const port = z.coerce.number().int().min(0).max(65_535);

/** Where PostgreSQL is: its own scheme, so that another thing's address is refused at boot and not looked up. */
export const PostgresUrl = z.string().regex(/^postgres(?:ql)?:\/\/./, 'expected postgresql://…');

/** What every service reads. A service extends it with `ServiceEnv.extend({ … })`; keys are the names of the variables. */
export const ServiceEnv = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  PORT: port.default(0),
  /** The listener for /metrics and health; without it there is none. */
  OPS_PORT: port.optional(),
  /** The platform admin's key (OPERATIONS). */
  BURSAR_ADMIN_KEY: z.string().min(16),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
export type ServiceEnv = z.infer<typeof ServiceEnv>;

/** Parses the environment once, in `main.ts`, and freezes it. `NAME_FILE` holds the path of a file with NAME's value. Throws {@link ConfigError}. */
export const loadConfig = <S extends z.ZodObject>(schema: S, env: NodeJS.ProcessEnv): Readonly<z.output<S>> => {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = readVariable(name, env, problems);
    if (value !== undefined && value !== '') values[name] = value;
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(parsed.data);
};

const readVariable = (name: string, env: NodeJS.ProcessEnv, problems: string[]): string | undefined => {
  const file = env[`${name}_FILE`];
  if (file === undefined) return env[name];
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    problems.push(`${name}_FILE: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
    return undefined;
  }
};
