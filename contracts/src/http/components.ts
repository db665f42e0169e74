import { z } from 'zod';
import { openEnded } from './open-ended.js';

type Json = Readonly<Record<string, unknown>>;

/** The named schemas of a document (OpenAPI, AsyncAPI): every one met, once. */
export class Components {
  private readonly schemas = new Map<string, Json>();

  /** The schema with its named parts moved here; a schema that has a name itself becomes a reference to it. */
  add(schema: z.ZodType, io: 'input' | 'output'): Json {
    const {
      $schema: _dialect,
      $defs = {},
      ...root
    } = z.toJSONSchema(schema, io === 'output' ? { io, override: openEnded } : { io }) as Record<string, unknown> & {
      $defs?: Record<string, Json>;
    };
    for (const [name, definition] of Object.entries($defs)) this.define(name, moved(definition));
    return moved(root);
  }

  sorted(): Json {
    return Object.fromEntries([...this.schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private define(name: string, schema: Json): void {
    const known = this.schemas.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`two schemas are called ${name}`);
    this.schemas.set(name, schema);
  }
}

const moved = (schema: Json): Json =>
  JSON.parse(JSON.stringify(schema), (key: string, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : value,
  ) as Json;
