import { createTransport, type Transporter } from 'nodemailer';
import type { SendOutcome } from '../../domain/delivery/settle.js';
import { Sender, type Sending } from '../../features/delivery/ports.js';
import type { SmtpSettings } from './smtp-settings.js';

/** A mail server's answer as nodemailer reports it. */
type SmtpError = Readonly<{ responseCode?: number; code?: string }>;

/** E-mail over SMTP, HTML with its plain-text twin. A mail is known by its Message-ID, the same at every attempt. */
export class EmailSender extends Sender {
  readonly #transport: Transporter | null;

  constructor(
    private readonly settings: SmtpSettings | null,
    timeoutMs: number,
  ) {
    super();
    const limits = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs };
    // Nothing in a message is a file to read or an address to fetch.
    this.#transport =
      settings === null ? null : createTransport({ ...settings.server, ...limits, disableFileAccess: true, disableUrlAccess: true });
  }

  isConfigured(): boolean {
    return this.#transport !== null;
  }

  async send({ id, tenant, channel, alert, message }: Sending, timeoutMs: number): Promise<SendOutcome> {
    const transport = this.#transport;
    if (transport === null || this.settings === null) throw new Error('mail was sent without a mail server');
    const { subject, text, html } = await message();
    const mail = {
      from: this.settings.from,
      // As addresses, never as a header to parse: what a tenant named is one mailbox each.
      to: (channel.to ?? []).map((address) => ({ name: '', address })),
      subject,
      text,
      html,
      messageId: `<${id}.${channel.channelId.replace(/[^A-Za-z0-9-]/g, '-')}@bursar>`,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Bursar-Alert': alert.alertId, 'X-Bursar-Tenant': tenant },
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<SendOutcome>((resolve) => {
      timer = setTimeout(() => resolve({ outcome: 'no_answer', status: null, detail: 'The mail server took too long' }), timeoutMs);
    });
    try {
      return await Promise.race([this.#hand(transport, mail), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#transport?.close();
  }

  async #hand(transport: Transporter, mail: Parameters<Transporter['sendMail']>[0]): Promise<SendOutcome> {
    try {
      const { rejected = [], response } = (await transport.sendMail(mail)) as { rejected?: readonly unknown[]; response?: string };
      const status = Number(/^\d{3}/.exec(response ?? '')?.[0] ?? 250);
      return {
        outcome: 'delivered',
        status,
        detail: rejected.length === 0 ? null : `The mail server refused ${rejected.length} of the recipients`,
      };
    } catch (error) {
      const { responseCode, code } = error as SmtpError;
      if (responseCode !== undefined) return { outcome: 'failed', status: responseCode, detail: 'The mail server refused the message' };
      return { outcome: 'no_answer', status: null, detail: `The mail server could not be reached (${code ?? 'unknown error'})` };
    }
  }
}
