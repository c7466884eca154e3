import { describe, expect, it } from 'vitest';
import type { NextItem, Programme } from './protocol';
import { START_MS, item, state } from './testing/states';
import { localZone } from './times';
import {
  availabilityWords,
  isMusic,
  messageAfterName,
  nextUp,
  nowDetail,
  nowTitle,
  programmeWords,
  progress,
  webAddress,
} from './words';

const BASE = new URL('https://radio.example/');

function programme(fields: Partial<Programme> = {}): Programme {
  return {
    id: 'p1',
    title: 'The Noon Report',
    host: 'the Harbor news desk',
    description: null,
    image: null,
    starts_at_ms: START_MS + 60_000,
    ends_at_ms: START_MS + 3_660_000,
    ...fields,
  };
}

function next(fields: Partial<NextItem> = {}): NextItem {
  return { id: 'n1', kind: 'music', title: 'Lamplight', artist: 'Marsh Road', starts_at_ms: START_MS + 60_000, basis: 'predicted', ...fields };
}

describe('availability', () => {
  const at = { ...state('harbor').station, timezone: localZone() };
  const since_ms = new Date(2026, 2, 6, 15, 5).getTime();
  const now_ms = since_ms + 60_000;

  it.each([
    ['on_air', 'a reason that nobody needs', 'On air'],
    ['starting', null, 'Starting'],
    ['off_air', null, 'Off air since 3:05 PM'],
    ['off_air', 'the encoder has stopped', 'Off air since 3:05 PM: the encoder has stopped'],
    ['silent', 'no sound above -60 dB', 'Silent since 3:05 PM: no sound above -60 dB'],
    ['degraded', null, 'Trouble with the sound since 3:05 PM'],
  ] as const)('%s, %s: %s', (status, reason, words) => {
    expect(availabilityWords(state('harbor', { station: at, availability: { status, since_ms, reason } }), now_ms)).toBe(words);
  });
});

describe('nextUp', () => {
  it('is the first item that has not begun', () => {
    const items = [next({ title: 'Heard already', starts_at_ms: START_MS }), next()];
    expect(nextUp(state('harbor', { next: items }), START_MS)).toMatchObject({ title: 'Lamplight', predicted: true });
  });

  it('is the programme when that begins no later than the item', () => {
    const both = state('harbor', { next: [next()], next_programme: programme() });
    expect(nextUp(both, START_MS)).toMatchObject({ title: 'The Noon Report', predicted: false });
    const later = state('harbor', { next: [next()], next_programme: programme({ starts_at_ms: START_MS + 60_001 }) });
    expect(nextUp(later, START_MS)?.title).toBe('Lamplight');
  });

  it('is nothing when nothing is known', () => {
    expect(nextUp(state('harbor'), START_MS)).toBeNull();
  });
});

describe('progress', () => {
  it('runs from nothing to the length and no further', () => {
    const elapsed = [-5000, 0, 90_000, 900_000].map((ms) => progress(item(), START_MS + ms).elapsed_ms);
    expect(elapsed).toEqual([0, 0, 90_000, 245_000]);
  });

  it('is zero before anything is known, and has no end on a stream that does not tell', () => {
    expect(progress(null, START_MS)).toEqual({ elapsed_ms: 0, length_ms: 0 });
    expect(progress(item({ duration_ms: null }), START_MS + 900_000)).toEqual({ elapsed_ms: 900_000, length_ms: null });
  });
});

describe('titles', () => {
  it('fall back from item to programme to station', () => {
    expect(nowTitle(state('harbor'))).toBe('Salt on the Window');
    expect(nowTitle(state('harbor', { now: null, programme: programme() }))).toBe('The Noon Report');
    expect(nowTitle(state('harbor', { now: null }))).toBe('Station harbor');
    const silent = { status: 'off_air', since_ms: START_MS, reason: null } as const;
    expect(nowTitle(state('harbor', { now: null, availability: silent }))).toBe('Nothing on the air');
  });

  it('say who and from what', () => {
    expect(nowDetail(state('harbor'))).toBe('Grey Heron, Estuary');
    expect(nowDetail(state('harbor', { now: item({ artist: null, album: null }) }))).toBe('');
    expect(programmeWords(programme())).toBe('The Noon Report with the Harbor news desk');
    expect(programmeWords(programme({ host: null }))).toBe('The Noon Report');
    expect(programmeWords(null)).toBe('');
  });
});

describe('webAddress', () => {
  it.each([
    ['/media/a.webp', 'https://radio.example/media/a.webp'],
    ['http://other.example/x', 'http://other.example/x'],
    ['javascript:alert(1)', null],
    ['JaVaScRiPt:alert(1)', null],
    ['data:text/html,x', null],
    ['http://', null],
    ['', null],
    [null, null],
  ])('%s becomes %s', (address, result) => {
    expect(webAddress(address, BASE)).toBe(result);
  });
});

describe('nowDetail', () => {
  it.each([
    [item(), 'Grey Heron, Estuary'],
    [item({ artist: 'Salt on the Window' }), 'Estuary'],
    [item({ kind: 'sponsor' }), ''],
    [null, ''],
  ])('%o: %s', (now, words) => expect(nowDetail(state('harbor', { now }))).toBe(words));
});

describe('isMusic', () => {
  it.each([
    [item(), true],
    [item({ artist: null }), false],
    [item({ kind: 'speech' }), false],
    [null, false],
  ])('%o: %s', (now, answer) => expect(isMusic(state('harbor', { now }))).toBe(answer));
});

describe('messageAfterName', () => {
  it.each([
    ['Quay Books stays open late.', 'stays open late.'],
    ['Quay Bookshop is another one.', 'Quay Bookshop is another one.'],
    ['Open late: Quay Books.', 'Open late: Quay Books.'],
    [null, ''],
  ])('%s: %s', (message, words) => {
    const support = { sponsor: 'Quay Books', message, link: null, image: null, starts_at_ms: 0, ends_at_ms: 1 };
    expect(messageAfterName(support)).toBe(words);
  });
});
