import type { ChannelInput } from '@bursar/contracts/http';
import { type Outgoing, TargetRefused } from '@bursar/outgoing';
import { Rejection } from '../domain/rejection.js';

const SLACK_HOSTS: ReadonlySet<string> = new Set(['hooks.slack.com', 'hooks.slack-gov.com']);

/** Judges the addresses of channels when they are named; they are judged again at each call. Its own Nest token. */
export class ChannelTargets {
  constructor(
    private readonly outgoing: Pick<Outgoing, 'judge'>,
    private readonly allowPrivate: boolean,
  ) {}

  /** Throws a {@link Rejection} `target` that points at `/url`. */
  async judge({ type, url }: Pick<ChannelInput, 'type' | 'url'>): Promise<void> {
    if (url === undefined || (type !== 'webhook' && type !== 'slack')) return;
    try {
      await this.outgoing.judge(url);
    } catch (error) {
      if (error instanceof TargetRefused) throw new Rejection('target', `${error.message}.`, '/url');
      throw error;
    }
    if (type === 'slack' && !this.allowPrivate && !SLACK_HOSTS.has(new URL(url).hostname)) {
      throw new Rejection('target', 'A Slack channel is an incoming webhook of hooks.slack.com.', '/url');
    }
  }
}
