import type { AlertingEnv } from '../../config.js';

/** Where mail is handed over, and from whom it is. */
export type SmtpSettings = Readonly<{
  server: Readonly<{ host: string; port: number; secure: boolean; auth?: Readonly<{ user: string; pass: string }> }>;
  from: string;
}>;

const DEFAULT_FROM = 'Bursar <bursar@localhost>';
const PORTS = { plain: 587, secure: 465 };

/** From SMTP_URL, else SMTP_HOST and its companions; null: no mail server is configured. */
export const smtpSettings = (env: AlertingEnv): SmtpSettings | null => {
  const from = env.MAIL_FROM ?? DEFAULT_FROM;
  if (env.SMTP_URL !== undefined) return { server: fromUrl(new URL(env.SMTP_URL)), from };
  if (env.SMTP_HOST === undefined) return null;
  const port = env.SMTP_PORT ?? PORTS.plain;
  const { SMTP_USER: user, SMTP_PASSWORD: pass = '' } = env;
  return {
    server: { host: env.SMTP_HOST, port, secure: port === PORTS.secure, ...(user !== undefined && { auth: { user, pass } }) },
    from,
  };
};

/** Its query is ignored: nodemailer would read options of all kinds from there. */
const fromUrl = ({ protocol, hostname, port, username, password }: URL): SmtpSettings['server'] => {
  const secure = protocol === 'smtps:';
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? PORTS.secure : PORTS.plain) : Number(port),
    secure,
    ...(username !== '' && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  };
};
