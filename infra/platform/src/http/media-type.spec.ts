import { expect, test } from '@jest/globals';
import { readMediaType } from './media-type.js';

test.each([
  ['application/json', 'application/json'],
  ['Application/JSON', 'application/json'],
  ['application/json;charset=utf-8', 'application/json'],
  ['application/json; charset="UTF-8"', 'application/json'],
  ['application/cloudevents+json ; charset=utf-8', 'application/cloudevents+json'],
])('IN-A10 %j is read', (header, type) => expect(readMediaType(header)).toBe(type));

test.each([
  undefined,
  '',
  'application/json\t;x',
  'application/json\t',
  ' application/json',
  'application/json;charset=utf-16',
  'application/json; charset=utf-8; boundary=x',
  'application/json, text/plain',
  'application /json',
  'json',
  `application/json;charset=${'x'.repeat(10_000)}`,
])('IN-A9, IN-A10 %j is not guessed at', (header) => expect(readMediaType(header)).toBeNull());
