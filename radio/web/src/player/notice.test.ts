import { describe, expect, it } from 'vitest';
import { START_MS, state } from '../testing/states';
import { type Circumstances, noticeWords } from './notice';

const WELL: Circumstances = {
  status: 'live',
  isUnknown: false,
  staleSince_ms: null,
  now_ms: START_MS + 60_000,
  state: state('harbor'),
  problem: null,
};
const off = state('harbor', { availability: { status: 'off_air', since_ms: START_MS, reason: 'the encoder has stopped' } });

describe('noticeWords', () => {
  it.each<[string, Partial<Circumstances>, string | RegExp]>([
    ['nothing while all is well', {}, ''],
    ['nothing while updates come as events', { status: 'live' }, ''],
    ['that the page is fetched', { status: 'polling' }, /^No live connection gets through here/],
    ['what is wrong with the sound first', { status: 'polling', problem: 'No sound.' }, 'No sound.'],
    ['what is wrong with the station first', { status: 'polling', state: off }, /^Off air since 3:00.PM EST: the encoder has stopped\.$/],
    ['that the sound will be back', { state: off, problem: 'No sound.' }, /stopped\. The sound begins here as soon as it is back\.$/],
    ['how old the page is', { status: 'reconnecting', staleSince_ms: START_MS }, /^Reconnecting\. What you see is from 3:00.PM EST\.$/],
    ['that the server sent it away', { status: 'stopped', staleSince_ms: START_MS }, /^Live updates have ended/],
    ['that there is no such station', { isUnknown: true, state: undefined }, 'The server has no such station.'],
    ['nothing before anything is known', { status: 'starting', state: undefined }, ''],
  ])('says %s', (_, circumstances, words) => {
    const said = noticeWords({ ...WELL, ...circumstances });
    if (typeof words === 'string') expect(said).toBe(words);
    else expect(said).toMatch(words);
  });
});
