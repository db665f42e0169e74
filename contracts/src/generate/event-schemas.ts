import { z } from 'zod';
import type { EventDefinition } from '../events/envelope.js';
import { openEnded } from '../http/open-ended.js';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** `UsageRecorded.v1.json`: a new version is a new file, and the old one stays for as long as there are such events. */
export const schemaFile = ({ type, version }: Pick<EventDefinition, 'type' | 'version'>): string => `${type}.v${version}.json`;

/** JSON Schema of an event's data, as it is stored and published. */
export const eventSchema = (definition: EventDefinition): JsonSchema => {
  const { $schema, ...schema } = z.toJSONSchema(definition.data, { io: 'output', override: openEnded });
  return { $schema, $id: `https://bursar.dev/schemas/events/${schemaFile(definition)}`, title: definition.type, ...schema };
};
