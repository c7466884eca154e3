/**
 * What a station's state was, is and will be, by stream time. A listener hears the past by some seconds,
 * so each page reads the timeline at its own moment instead of showing what came last.
 */

export interface Entry<T> {
  readonly at_ms: number;
  readonly state: T;
}

export type Timeline<T> = readonly Entry<T>[];

/** Entries kept; older ones are forgotten first. */
export const TIMELINE_LIMIT = 128;

/** A timeline that holds one state at every moment. */
export function constant<T>(state: T): Timeline<T> {
  return [{ at_ms: -Infinity, state }];
}

/** The timeline with a later state. A moment before the last entry's counts as that entry's moment. */
export function extend<T>(timeline: Timeline<T>, at_ms: number, state: T): Timeline<T> {
  const last = timeline.at(-1);
  const entry = { at_ms: Math.max(at_ms, last?.at_ms ?? -Infinity), state };
  return [...timeline, entry].slice(-TIMELINE_LIMIT);
}

/** The timeline up to `at_ms`, and from then on `state`, whatever was announced for later. */
export function supersede<T>(timeline: Timeline<T>, at_ms: number, state: T): Timeline<T> {
  const before = timeline.filter((entry) => entry.at_ms < at_ms);
  return before.length ? extend(before, at_ms, state) : constant(state);
}

/** The state at a moment; before the first entry, the first; undefined for an empty timeline. */
export function stateAt<T>(timeline: Timeline<T>, moment_ms: number): T | undefined {
  const current = timeline.findLast((entry) => entry.at_ms <= moment_ms);
  return (current ?? timeline[0])?.state;
}

/** When the state next changes after a moment; Infinity when nothing more is known. */
export function nextChange<T>(timeline: Timeline<T>, moment_ms: number): number {
  return timeline.find((entry) => entry.at_ms > moment_ms)?.at_ms ?? Infinity;
}
