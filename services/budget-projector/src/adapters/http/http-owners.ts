import type { PartitionLeases } from '@bursar/leases';
import type { Answer } from '../../features/answer.js';
import { type Call, Owners } from '../../features/owners.js';

/** On a call that one replica makes of another: who gets it decides, or says that it cannot, and asks nobody else. */
export const FORWARDED_HEADER = 'bursar-forwarded';

/** `user`: the answer is for somebody who merely spends, and says no more than he may see. */
export const AUDIENCE_HEADER = 'bursar-audience';

const PASSED_ON = ['content-type', 'retry-after', 'bursar-position', 'bursar-budget', 'bursar-owner'];

/** Asks owners over HTTP with the installation's own key: whoever called has been admitted here. */
export class HttpOwners extends Owners {
  constructor(
    private readonly leases: Pick<PartitionLeases, 'urlOfOwner'>,
    private readonly adminKey: string,
    private readonly trouble: (error: unknown) => void,
  ) {
    super();
  }

  urlOf(partition: number): Promise<string | null> {
    return this.leases.urlOfOwner(partition);
  }

  async ask(url: string, { tenant, method, path, prefer, audience, ...call }: Call, timeoutMs: number): Promise<Answer | null> {
    try {
      const body = call.body();
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(body !== null && { 'content-type': 'application/json' }),
          authorization: `Bearer ${this.adminKey}`,
          'bursar-tenant': tenant,
          [FORWARDED_HEADER]: '1',
          [AUDIENCE_HEADER]: audience,
          ...(prefer !== null && { prefer }),
        },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (isNoAnswer(response.status, text)) return null;
      const headers = PASSED_ON.flatMap((name) => {
        const value = response.headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
      return { status: response.status, headers: Object.fromEntries(headers), body: text };
    } catch (error) {
      this.trouble(error);
      return null;
    }
  }
}

/** It is not the owner any more, is stopping, is not one of us, or was frozen before it had all of the call. */
const isNoAnswer = (status: number, body: string): boolean =>
  status === 401 || status === 408 || (status === 503 && /"code":"(?:no_owner|shutting_down|overloaded)"/.test(body));
