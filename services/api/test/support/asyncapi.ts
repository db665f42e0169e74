import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

type Reference = Readonly<{ $ref: string }>;
type Message = Readonly<{ name: string; contentType: string }>;
type Channel = Readonly<{ address: string | null; messages: Readonly<Record<string, Reference>>; 'x-built'?: false }>;
export type AsyncApiDocument = Readonly<{
  channels: Readonly<Record<string, Channel>>;
  operations: Readonly<Record<string, Readonly<{ channel: Reference; reply?: Readonly<{ channel: Reference }> }>>>;
  components: Readonly<{ messages: Readonly<Record<string, Message>> }>;
}>;

export type Seen = Readonly<{ headers: Readonly<Record<string, string>>; body: Uint8Array }>;

/** Which message of a document a message on the wire is, and what is wrong with it, in the document's own words: JSON Schema draft 7. */
export class AsyncApi {
  readonly #ajv = new Ajv({ strict: false });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(readonly document: AsyncApiDocument) {
    (formats as unknown as (ajv: Ajv) => void)(this.#ajv);
    this.#ajv.addSchema({ $id: 'asyncapi', ...document });
  }

  /** Names of the messages of channels whose address matches. */
  named(subject: string): readonly string[] {
    return Object.values(this.document.channels).flatMap((channel) =>
      channel.address !== null && matches(channel.address, subject) ? namesOf(channel) : [],
    );
  }

  /** Names of the messages that may answer on the channel. */
  replies(channelId: string): readonly string[] {
    const operation = Object.values(this.document.operations).find(({ channel }) => channel.$ref === `#/channels/${channelId}`);
    const reply = operation?.reply?.channel.$ref.replace('#/channels/', '') ?? '';
    const channel = this.document.channels[reply];
    return channel === undefined ? [] : namesOf(channel);
  }

  /** The one of the messages that it is; throws with all that keeps it from being any. */
  identify(candidates: readonly string[], { headers, body }: Seen): string {
    const type = headers['Content-Type'] ?? 'application/json';
    const wrong: string[] = [];
    for (const name of candidates) {
      const { contentType } = this.document.components.messages[name] ?? { contentType: '' };
      const opaque = contentType === 'application/octet-stream';
      if (!opaque && contentType !== type) continue;
      const complaints = [
        ...this.#complaints(`${name}/headers`, headers),
        ...(opaque ? [] : this.#complaints(`${name}/payload`, JSON.parse(Buffer.from(body).toString('utf8')))),
      ];
      if (complaints.length === 0) return name;
      wrong.push(...complaints);
    }
    throw new Error(
      `none of ${candidates.join(', ')} (${type}): ${wrong.join('; ')}\n${Buffer.from(body).toString('utf8').slice(0, 2_000)}`,
    );
  }

  #complaints(path: string, value: unknown): readonly string[] {
    const validate = this.#validators.get(path) ?? this.#ajv.compile({ $ref: `asyncapi#/components/messages/${path}` });
    this.#validators.set(path, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${path} ${instancePath} ${message}`);
  }
}

const namesOf = (channel: Channel): readonly string[] => Object.keys(channel.messages);

const matches = (address: string, subject: string): boolean =>
  new RegExp(`^${address.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^.]+')}$`).test(subject);
