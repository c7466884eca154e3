import { describe, expect, it } from 'vitest';
import { START_MS, state } from './testing/states';
import { length, longDate, pastMoment, timeOfDay } from './times';

const NEW_YORK = 'America/New_York';
const DAY_MS = 86_400_000;

describe('times', () => {
  it('speaks of the time at the station', () => {
    expect(timeOfDay(START_MS, NEW_YORK, NEW_YORK)).toBe('3:00 PM');
    expect(timeOfDay(START_MS, NEW_YORK, 'America/Toronto')).toBe('3:00 PM');
  });

  it('names the zone for a listener elsewhere', () => {
    expect(timeOfDay(START_MS, NEW_YORK, 'Europe/Paris')).toBe('3:00 PM EST');
    expect(timeOfDay(START_MS, state('x').station.timezone, 'Asia/Tokyo')).toBe('3:00 PM EST');
  });

  it('follows the change of the clocks', () => {
    const sunday = Date.UTC(2026, 2, 8, 7, 0, 0);
    expect(timeOfDay(sunday - 60_000, NEW_YORK, NEW_YORK)).toBe('1:59 AM');
    expect(timeOfDay(sunday, NEW_YORK, NEW_YORK)).toBe('3:00 AM');
  });

  it('falls back to UTC, and says so, for a zone that the browser does not know', () => {
    expect(timeOfDay(START_MS, 'Atlantis/Capital', NEW_YORK)).toBe('8:00 PM UTC');
  });

  it('adds the day to a moment that is not today', () => {
    expect(pastMoment(START_MS, START_MS + 3_600_000, NEW_YORK, NEW_YORK)).toBe('3:00 PM');
    expect(pastMoment(START_MS, START_MS + DAY_MS, NEW_YORK, NEW_YORK)).toBe('Friday 3:00 PM');
    expect(pastMoment(START_MS, START_MS + 9 * DAY_MS, NEW_YORK, NEW_YORK)).toBe('March 6, 3:00 PM');
  });

  it('has the station’s day', () => {
    expect(longDate(Date.UTC(2026, 2, 7, 3), NEW_YORK)).toBe('Friday, March 6, 2026');
  });

  it.each([
    [0, '0:00'],
    [7999, '0:07'],
    [60_000, '1:00'],
    [754_000, '12:34'],
    [3_723_000, '1:02:03'],
    [-5000, '0:00'],
  ])('%i ms reads %s', (ms, words) => {
    expect(length(ms)).toBe(words);
  });
});
