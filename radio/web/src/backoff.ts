/**
 * Full-jitter exponential back-off: anywhere between 0 and a window that doubles with each attempt
 * (counted from 0), so that a crowd that lost its server together does not come back together.
 */
export function fullJitter(attempt: number, first_ms: number, limit_ms: number, random: () => number): number {
  return random() * doubled(attempt, first_ms, limit_ms);
}

/** The same window with jitter in its upper half only, for one listener's own retries. */
export function halfJitter(attempt: number, first_ms: number, limit_ms: number, random: () => number): number {
  const window_ms = doubled(attempt, first_ms, limit_ms);
  return Math.max(first_ms, window_ms * (0.5 + random() / 2));
}

/** How long a server that refuses asks to be left alone (RFC 9110, section 10.2.3); 0 where it says no seconds. */
export function retryAfter_ms(response: Response): number {
  return Number(response.headers.get('retry-after')) * 1000 || 0;
}

function doubled(attempt: number, first_ms: number, limit_ms: number): number {
  return Math.min(limit_ms, first_ms * 2 ** Math.min(attempt, 30));
}
