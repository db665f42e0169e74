import type { StoredChannel } from '@bursar/contracts';
import type { ChannelBook } from '@bursar/contracts/folds';
import type { NewEvent } from './new-event.js';
import { Rejection } from './rejection.js';

/** As many as a tenant may have: each alert goes to all of them. */
const MAX_CHANNELS = 200;
/** How long the secret before a new one signs too: a receiver is given both, then the new one alone. */
export const ROTATION_MS = 86_400_000;

export type ChannelCommand =
  | Readonly<{ type: 'AddChannel'; channel: StoredChannel }>
  /** `revise` makes the channel that is to be of the one that is. */
  | Readonly<{ type: 'ChangeChannel'; channelId: string; revise: (current: StoredChannel) => StoredChannel }>
  | Readonly<{ type: 'RemoveChannel'; channelId: string }>;

/** Pure: same command and channels, same events. Throws {@link Rejection}. */
export const decideChannel = (command: ChannelCommand, book: ChannelBook): readonly NewEvent<'ChannelSaved' | 'ChannelRemoved'>[] => {
  switch (command.type) {
    case 'AddChannel': {
      const { channel } = command;
      if (book.list().length >= MAX_CHANNELS) throw new Rejection('too_many', `A tenant has at most ${MAX_CHANNELS} channels.`);
      refuseSameName(book, channel);
      return [{ type: 'ChannelSaved', data: channel }];
    }
    case 'ChangeChannel': {
      const current = existing(book, command.channelId);
      const revised = command.revise(current);
      if (revised.type !== current.type) throw new Rejection('not_allowed', 'A channel keeps its type; add another one.', '/type');
      refuseSameName(book, revised);
      return [{ type: 'ChannelSaved', data: revised }];
    }
    case 'RemoveChannel':
      existing(book, command.channelId);
      return [{ type: 'ChannelRemoved', data: { channelId: command.channelId } }];
  }
};

const existing = (book: ChannelBook, channelId: string): StoredChannel => {
  const state = book.get(channelId);
  if (state === undefined) throw new Rejection('not_found', 'There is no such channel.');
  return state.channel;
};

/** Thresholds choose channels by name: two of one name would be one choice for both. */
const refuseSameName = (book: ChannelBook, { channelId, name }: StoredChannel): void => {
  if (book.list().some(({ channel }) => channel.name === name && channel.channelId !== channelId)) {
    throw new Rejection('already_exists', 'Another channel has this name.');
  }
};

/** Secrets once `fresh` is the newest: the one before signs too until `until`, older ones no more. */
export const rotated = (
  current: readonly string[],
  fresh: string,
  until: string,
): Pick<StoredChannel, 'secrets' | 'secretRotatesUntil'> => {
  const [before] = current;
  return before === undefined ? { secrets: [fresh] } : { secrets: [fresh, before], secretRotatesUntil: until };
};
