import { Problem } from '@bursar/platform';
import { describe, expect, test } from '@jest/globals';
import type { Answer } from './answer.js';
import { DecideAtOwner, type Decision } from './decide-at-owner.js';
import type { Decisions } from './decisions.js';
import type { Call } from './owners.js';

const THERE: Answer = { status: 201, headers: {}, body: 'from the new owner' };
const HERE: Answer = { status: 200, headers: {}, body: 'from here' };
const CALL = { tenant: 'acme', method: 'POST', path: '/', body: () => null, prefer: null, audience: 'operator' } satisfies Call;

/** This process owns the partition until it decides, if it is to lose it then; another owner takes over and answers. */
const ask = (isLost: boolean, decide: () => Decision): Promise<Answer> => {
  const decisions = {} as Decisions;
  let isMine = true;
  const here = {
    partitions: 1,
    decisionsOf: () => (isMine ? decisions : null),
    url: () => 'http://here',
    stopping: () => new AbortController().signal,
  };
  const owners = { urlOf: async () => 'http://other', ask: async () => THERE };
  return new DecideAtOwner(here, owners).answer({
    call: CALL,
    minPosition: null,
    isForwarded: false,
    decide: async () => {
      isMine = !isLost;
      return decide();
    },
  });
};
const refuse = (): never => {
  throw new Problem('budget_exceeded', 'No room.', { extensions: { budgetId: 'b' }, headers: { 'bursar-position': '0:1' } });
};

describe('a decision', () => {
  test('is answered, and signed, while the lease is live', async () => {
    const answer = await ask(false, () => ({ answer: HERE, isFenced: false }));
    expect(answer).toEqual({ ...HERE, headers: { 'bursar-owner': 'http://here' } });
    const refusal = ask(false, refuse);
    await expect(refusal).rejects.toMatchObject({
      code: 'budget_exceeded',
      detail: 'No room.',
      options: { extensions: { budgetId: 'b' } },
      headers: { 'bursar-position': '0:1', 'bursar-owner': 'http://here' },
    });
  });

  test('is not believed once the lease is lost, be it a refusal: the new owner decides', async () => {
    expect(await ask(true, () => ({ answer: HERE, isFenced: false }))).toBe(THERE);
    expect(await ask(true, refuse)).toBe(THERE);
  });

  test('stands whoever owns the partition by now where it is in the ledger', async () => {
    expect(await ask(true, () => ({ answer: HERE, isFenced: true }))).toMatchObject(HERE);
  });

  test('of which nobody knows what became is not made again elsewhere', async () => {
    const unknown = ask(true, () => {
      throw new Problem('outcome_unknown');
    });
    await expect(unknown).rejects.toMatchObject({ code: 'outcome_unknown' });
    const fault = new Error('broken');
    const broken = ask(true, () => {
      throw fault;
    });
    await expect(broken).rejects.toBe(fault);
  });
});
