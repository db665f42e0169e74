import { z } from 'zod';

/** A field that may be absent or null; either means `fallback`. In a PATCH null is how a client asks for it. */
export const orDefault = <T, D>(schema: z.ZodType<T, unknown>, fallback: D) =>
  schema.nullish().transform((value): T | D => value ?? fallback);

/** A field that may be absent or null, both meaning: not there. */
export const orAbsent = <T>(schema: z.ZodType<T, unknown>) => orDefault(schema, undefined).optional();

/** The object without its keys that are undefined, so that what is stored says only what is there. */
export const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;

/** Every key of a shape as a raw, optional value: the frame of a JSON merge patch, whose result is validated as a whole. */
export const patchOf = <K extends string>(component: string, keys: readonly K[]) =>
  z.strictObject(
    Object.fromEntries(
      keys.map((key) => [
        key,
        z
          .unknown()
          .optional()
          .meta({
            description: 'null resets it',
            anyOf: [{ $ref: `#/$defs/${component}/properties/${key}` }, { type: ['object', 'null'] }],
          }),
      ]),
    ) as Record<K, z.ZodOptional<z.ZodUnknown>>,
  );
