/** CloudEvents binary mode: attributes in `ce-*` headers, `data` is the body (CloudEvents HTTP binding §3.1). */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const ATTRIBUTE = /^ce-[a-z0-9]{1,40}$/;
const MARKS = ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'];

/** Header names are lower case, as node:http gives them. */
export const isBinaryCloudEvent = (headers: Headers): boolean => MARKS.some((name) => headers[name] !== undefined);

/** The structured form of a binary CloudEvent, for `fromCloudEvent`. */
export const toStructured = (headers: Headers, data: unknown): Readonly<Record<string, unknown>> => {
  const envelope: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && ATTRIBUTE.test(name) && name !== 'ce-data') envelope[name.slice(3)] = decode(value);
  }
  const contentType = headers['content-type'];
  if (typeof contentType === 'string') envelope.datacontenttype = contentType;
  return { ...envelope, data };
};

/** Header values are percent-encoded UTF-8; one that is not well encoded is taken as it stands. */
const decode = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    if (error instanceof URIError) return value;
    throw error;
  }
};
