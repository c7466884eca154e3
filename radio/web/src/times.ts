/** Moments and lengths in words. The page's language is English; the zone is always the station's. */

const LOCALE = 'en-US';
const formats = new Map<string, Intl.DateTimeFormat>();

function format(ms: number, timeZone: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${timeZone} ${JSON.stringify(options)}`;
  let formatter = formats.get(key);
  if (!formatter) {
    formatter = inZone(timeZone, options);
    formats.set(key, formatter);
  }
  return formatter.format(ms).replace(/[\u202f\u00a0]/g, ' ');
}

function inZone(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone });
  } catch {
    return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: 'UTC', timeZoneName: 'short' });
  }
}

/** The listener's own zone. */
export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * A time of day at the station, like `3:05 PM`. Where the listener's clock shows something else at that
 * moment, the zone is added: `3:05 PM EDT`.
 */
export function timeOfDay(ms: number, stationZone: string, listenerZone = localZone()): string {
  const time: Intl.DateTimeFormatOptions = { hour: 'numeric', minute: '2-digit' };
  const whole: Intl.DateTimeFormatOptions = { ...time, year: 'numeric', month: 'numeric', day: 'numeric' };
  const same = format(ms, stationZone, whole) === format(ms, listenerZone, whole);
  return format(ms, stationZone, same ? time : { ...time, timeZoneName: 'short' });
}

/** A day at the station, like `Friday, March 6, 2026`. */
export function longDate(ms: number, stationZone: string): string {
  return format(ms, stationZone, { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' });
}

/** A past moment as one says it: `3:05 PM` today, `Monday 3:05 PM` this week, else `March 6, 3:05 PM`. */
export function pastMoment(ms: number, now_ms: number, stationZone: string, listenerZone = localZone()): string {
  const time = timeOfDay(ms, stationZone, listenerZone);
  if (longDate(ms, stationZone) === longDate(now_ms, stationZone)) return time;
  const thisWeek = now_ms - ms < 6 * 86_400_000;
  const day = format(ms, stationZone, thisWeek ? { weekday: 'long' } : { month: 'long', day: 'numeric' });
  return thisWeek ? `${day} ${time}` : `${day}, ${time}`;
}

/** A length like `0:07`, `12:34` or `1:02:03`; begun seconds are not counted. */
export function length(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const tail = String(seconds % 60).padStart(2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}
