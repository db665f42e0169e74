import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 's1';

/** A sealed text that cannot be opened: written under a key that is not here, for another place, or altered. */
export class SecretUnreadableError extends Error {
  override readonly name = 'SecretUnreadableError';
}

const keyText = z
  .string()
  .regex(/^[0-9a-f]{64}(?:,[0-9a-f]{64})*$/, 'expected 64 hexadecimal digits, or several such keys, comma separated');
/** For a service's environment: the installation's keys, newest first. `BURSAR_SECRET_KEY_FILE` names a file with them. */
export const SecretKeyEnv = { BURSAR_SECRET_KEY: keyText.optional() };

/**
 * Seals the secrets that events and tables hold (RELIABILITY, Secrets): AES-256-GCM, the key's id beside the text, bound to the place it
 * is kept for, so that it is worthless anywhere else. The first key seals, all of them open: that is how a key is replaced.
 */
export class SecretBox {
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly #newest: string;

  private constructor(keys: readonly Uint8Array[]) {
    const named = keys.map((key) => [createHash('sha256').update(key).digest('hex').slice(0, 8), key] as const);
    const [first] = named;
    if (first === undefined) throw new RangeError('a secret box needs a key');
    this.#keys = new Map(named);
    this.#newest = first[0];
  }

  /**
   * From BURSAR_SECRET_KEY. Without one the key derives from the admin key: enough for a development run, but whoever changes the admin
   * key then loses the secrets.
   */
  static of(keys: string | undefined, adminKey: string): SecretBox {
    if (keys === undefined) return new SecretBox([new Uint8Array(hkdfSync('sha256', adminKey, '', 'bursar secrets v1', KEY_BYTES))]);
    return new SecretBox(keys.split(',').map((key) => Buffer.from(key, 'hex')));
  }

  /** `place` names where it is kept, e.g. `['channel', tenant, channelId]`. Never the same text twice. */
  seal(text: string, place: readonly string[]): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key(this.#newest), iv);
    cipher.setAAD(Buffer.from(JSON.stringify(place)));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return [VERSION, this.#newest, Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')].join('.');
  }

  /** Throws {@link SecretUnreadableError}, which quotes nothing. */
  open(sealed: string, place: readonly string[]): string {
    const [version, id = '', text = ''] = sealed.split('.');
    const bytes = Buffer.from(text, 'base64url');
    if (version !== VERSION || bytes.length < IV_BYTES + TAG_BYTES) throw new SecretUnreadableError('not a sealed secret');
    const decipher = createDecipheriv('aes-256-gcm', this.#key(id), bytes.subarray(0, IV_BYTES));
    decipher.setAAD(Buffer.from(JSON.stringify(place))).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new SecretUnreadableError('a sealed secret was altered, or is kept at another place than it was sealed for', { cause });
    }
  }

  #key(id: string): Uint8Array {
    const key = this.#keys.get(id);
    if (key === undefined) throw new SecretUnreadableError(`no key ${/^[0-9a-f]{8}$/.test(id) ? id : ''} in BURSAR_SECRET_KEY`);
    return key;
  }
}
