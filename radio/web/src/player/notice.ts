import type { FeedStatus } from '../feed';
import type { StationState } from '../protocol';
import { pastMoment } from '../times';
import { availabilityWords, isWell } from '../words';

export interface Circumstances {
  readonly status: FeedStatus;
  /** The server lists stations, but not the one that this player is for. */
  readonly isUnknown: boolean;
  /** Server time up to which the page is true; null while it is. */
  readonly staleSince_ms: number | null;
  readonly now_ms: number;
  readonly state: StationState | undefined;
  /** What is wrong with the sound here. */
  readonly problem: string | null;
}

/** What the player says when something is wrong, in one line; empty when nothing is. */
export function noticeWords({ status, isUnknown, staleSince_ms, now_ms, state, problem }: Circumstances): string {
  if (isUnknown) return 'The server has no such station.';
  if (status === 'stopped') return 'Live updates have ended. Reload the page to have them back.';
  if (staleSince_ms !== null && state) {
    return `Reconnecting. What you see is from ${pastMoment(staleSince_ms, now_ms, state.station.timezone)}.`;
  }
  if (state && !isWell(state.availability)) {
    const words = `${availabilityWords(state, now_ms)}.`;
    return problem ? `${words} The sound begins here as soon as it is back.` : words;
  }
  if (problem) return problem;
  return status === 'polling' ? 'No live connection gets through here. What you see may be some seconds old.' : '';
}
