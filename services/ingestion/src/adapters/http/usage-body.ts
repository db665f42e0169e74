import { isBinaryCloudEvent, readUsageBody, toStructured, type UsageItem, type UsageMode } from '@bursar/contracts/http';
import { Problem, readMediaType, tryReadJson } from '@bursar/platform';
import type { FastifyRequest } from 'fastify';

const MODES: Readonly<Record<string, UsageMode>> = {
  'application/json': 'json',
  'application/cloudevents+json': 'cloudevent',
  'application/cloudevents-batch+json': 'cloudevent-batch',
};

/** All of a request that says which events it brings: two with equal content are the same one, whatever the order of keys. */
export const contentOf = ({ headers, body }: FastifyRequest): unknown => [
  readMediaType(headers['content-type']),
  isBinaryCloudEvent(headers) ? toStructured(headers, body) : body,
];

/** The events of a request, in order. Throws the 400 of a body that is none as a whole. */
export const readUsageRequest = (request: FastifyRequest): readonly UsageItem[] => {
  if (request.body === undefined || request.body === null) {
    if (request.rawBody === null || request.rawBody.length === 0) throw new Problem('empty_body');
  }
  const mode = MODES[readMediaType(request.headers['content-type']) ?? ''] ?? 'json';
  const binary = mode === 'json' && isBinaryCloudEvent(request.headers);
  const content = binary ? toStructured(request.headers, request.body) : request.body;
  const reading = readUsageBody(binary ? 'cloudevent' : mode, content, tryReadJson);
  if (reading.ok) return reading.items;
  const { code, detail, errors } = reading.problem;
  throw new Problem(code, detail, { errors });
};
