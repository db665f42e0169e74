import { asyncApiDocument } from '../bus/asyncapi.js';
import type { Channel } from '../bus/channels/channel.js';
import type { EventDefinition } from '../events/envelope.js';
import { openApiDocument } from '../http/openapi.js';
import type { Route } from '../http/routes/route.js';
import { breakingChanges } from './breaking-changes.js';
import { eventSchema, type JsonSchema, schemaFile } from './event-schemas.js';

export const EVENTS_FOLDER = 'schemas/events';

/** Text by path below `contracts/`. */
export type Files = ReadonlyMap<string, string>;

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Everything that is generated from the schemas. */
export const generatedFiles = (routes: readonly Route[], channels: readonly Channel[], events: Iterable<EventDefinition>): Files =>
  new Map([
    ['openapi.json', text(openApiDocument(routes))],
    ['asyncapi.json', text(asyncApiDocument(channels))],
    ...[...events].map((event) => [`${EVENTS_FOLDER}/${schemaFile(event)}`, text(eventSchema(event))] as const),
  ]);

/** Files that are missing or other than they should be. */
export const staleFiles = (wanted: Files, present: Files): readonly string[] =>
  [...wanted].filter(([path, content]) => present.get(path) !== content).map(([path]) => path);

/** What the events of now break of the schemas that are checked in; a line per change. */
export const brokenEvents = (present: Files, events: readonly EventDefinition[]): readonly string[] => {
  const newest = new Map(events.map((event) => [event.type, event]));
  return [...present].flatMap(([path, content]) => {
    const match = /^schemas\/events\/(\w+)\.v([0-9]+)\.json$/.exec(path);
    if (match === null) return [];
    const [, type = '', version] = match;
    const event = newest.get(type);
    if (event === undefined || Number(version) > event.version) return [`${type}.v${version}: gone, though such events may be stored`];
    if (Number(version) < event.version) return upcasters(event, Number(version));
    return breakingChanges(JSON.parse(content) as JsonSchema, eventSchema(event)).map((change) => `${type}.v${version} ${change}`);
  });
};

const upcasters = (event: EventDefinition, from: number): readonly string[] =>
  event.upcasters[from] === undefined ? [`${event.type}.v${from}: no upcaster to v${from + 1}`] : [];
