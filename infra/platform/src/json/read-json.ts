import { isAscii, isUtf8 } from 'node:buffer';
import { InexactNumber } from '@bursar/contracts';
import { Problem } from '../http/problem.js';
import { isKeptLiteral, scanJson } from './scan.js';

/** API.md, Limits. The outermost object or array is depth 1. */
export const MAX_DEPTH = 16;

/**
 * Strict JSON of a request body or message. Throws {@link Problem}: `empty_body`, `bad_encoding` (BOM, not UTF-8, lone surrogates),
 * `too_deep`, `bad_json`, `forbidden_key` (`__proto__`, `constructor.prototype`). A number literal that a double cannot keep becomes an
 * {@link InexactNumber}, so that whoever reads amounts can refuse it; every other value is what JSON.parse gives, the last of equal keys winning.
 */
export const readJson = (body: Buffer): unknown => {
  if (body.length === 0) throw new Problem('empty_body');
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf)
    throw new Problem('bad_encoding', 'The body begins with a byte order mark.');
  const ascii = isAscii(body);
  if (!ascii && !isUtf8(body)) throw new Problem('bad_encoding');
  const scan = scanJson(body, MAX_DEPTH);
  if (scan.tooDeep) throw new Problem('too_deep', `The body is nested deeper than ${MAX_DEPTH}.`);
  const text = body.toString(ascii ? 'latin1' : 'utf8');
  const value = parse(text, scan.inexact);
  if (scan.escapes || mayHoldForbiddenKey(text)) checkTree(value);
  return value;
};

/** Other people's JSON may be nested as deep as their prompts are. */
const MAX_FOREIGN_DEPTH = 512;

/**
 * JSON in a shape that is not ours to define, where what is not understood is left alone: deeper, and with any key. Whoever reads it looks
 * at own properties that he knows, and at no others. Numbers as {@link readJson}. Throws {@link Problem}.
 */
export const readForeignJson = (body: Buffer): unknown => {
  if (body.length === 0) throw new Problem('empty_body');
  if (!isUtf8(body)) throw new Problem('bad_encoding');
  const scan = scanJson(body, MAX_FOREIGN_DEPTH);
  if (scan.tooDeep) throw new Problem('too_deep', `The body is nested deeper than ${MAX_FOREIGN_DEPTH}.`);
  return parse(body.toString('utf8'), scan.inexact);
};

/** {@link readJson} of bytes inside something else, whose refusal is the other thing's to word: undefined for what is none. */
export const tryReadJson = (bytes: Buffer): unknown => {
  try {
    return readJson(bytes);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
};

const parse = (text: string, inexact: boolean): unknown => {
  try {
    return inexact ? JSON.parse(text, keepSource as (key: string, value: unknown) => unknown) : JSON.parse(text);
  } catch (error) {
    // V8's message quotes the text around the fault; only the place of it may go out.
    const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
    throw new Problem('bad_json', position === undefined ? undefined : `The body stops being JSON at character ${position}.`);
  }
};

/** The reviver of Node 24 is told the literal's source text; it costs ten times a plain parse, hence only where the scan asks for it. */
const keepSource = (_key: string, value: unknown, context: { source?: string }): unknown =>
  typeof value === 'number' && context.source !== undefined && !isKeptLiteral(context.source) ? new InexactNumber(context.source) : value;

const mayHoldForbiddenKey = (text: string): boolean => text.includes('__proto__') || text.includes('constructor');

/** Keys that could reach a prototype, and strings that are not Unicode. Depth is bounded by then, so recursion is. */
const checkTree = (value: unknown): void => {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new Problem('bad_encoding', 'A string holds half of a surrogate pair.');
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) checkTree(item);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__' || (key === 'constructor' && isObject(item) && Object.hasOwn(item, 'prototype')))
      throw new Problem('forbidden_key');
    checkTree(key);
    checkTree(item);
  }
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
