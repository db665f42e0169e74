// Asks as often as it is told, 64 requests outstanding, through one reply inbox: it must not be what is measured.
import { connect, createInbox } from '@nats-io/transport-node';

type Job = Readonly<{ subject: string; body: string; requests: number }>;

const OUTSTANDING = 64;
const nc = await connect(JSON.parse(process.argv[2] ?? '{}'));
const inbox = createInbox();
let job: Job = { subject: '', body: '', requests: 0 };
let asked = 0;
let answered = 0;

const ask = (): void => {
  if (asked === job.requests) return;
  asked += 1;
  nc.publish(job.subject, job.body, { reply: `${inbox}.r` });
};

nc.subscribe(`${inbox}.*`, {
  callback: () => {
    answered += 1;
    if (answered === job.requests) process.send?.('done');
    else ask();
  },
});
await nc.flush();
process.on('message', (next: Job) => {
  job = next;
  asked = 0;
  answered = 0;
  for (let n = 0; n < OUTSTANDING; n += 1) ask();
});
process.send?.('ready');
