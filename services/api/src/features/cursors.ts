import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '@bursar/contracts';
import { Problem } from '@bursar/platform';

/** The place after which a page begins: the sort key of the last item of the page before. */
export type Place = readonly (string | number)[];

const MAC_BYTES = 16;
const MAX_CURSOR = 2_048;

/**
 * Cursors of lists: opaque, and worthless for another tenant, another list or other filters, because all three are under the MAC.
 * The key derives from the installation's admin key, so that every replica reads every other's.
 */
export class Cursors {
  readonly #key: Uint8Array;

  constructor(secret: string) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'bursar cursor v1', 32));
  }

  /** `list` names the list with its filters, e.g. `['budgets', {status: 'ok'}]`. */
  write(tenant: string, list: unknown, place: Place): string {
    const payload = Buffer.from(JSON.stringify(place), 'utf8');
    return Buffer.concat([this.#mac(tenant, list, payload), payload]).toString('base64url');
  }

  /** Throws a 400 {@link Problem} `cursor` for what this list of this tenant never gave out. */
  read(tenant: string, list: unknown, cursor: string): Place {
    const bytes = cursor.length <= MAX_CURSOR && /^[A-Za-z0-9_-]+$/.test(cursor) ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0);
    const payload = bytes.subarray(MAC_BYTES);
    // Other spellings of the same bytes (stray trailing bits) are refused as well: a cursor has one text.
    const whole = bytes.length > MAC_BYTES && bytes.toString('base64url') === cursor;
    if (!whole || !timingSafeEqual(bytes.subarray(0, MAC_BYTES), this.#mac(tenant, list, payload))) throw notACursor();
    return JSON.parse(payload.toString('utf8')) as Place;
  }

  #mac(tenant: string, list: unknown, payload: Uint8Array): Buffer {
    return createHmac('sha256', this.#key)
      .update(canonicalJson([tenant, list]))
      .update('\n')
      .update(payload)
      .digest()
      .subarray(0, MAC_BYTES);
  }
}

const notACursor = (): Problem =>
  new Problem('cursor', undefined, { errors: [{ pointer: '/cursor', message: 'Not a cursor of this list', code: 'cursor' }] });
