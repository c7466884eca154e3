import type { Availability, Item, Programme, StationState, SupportedBy } from './protocol';
import { pastMoment } from './times';

/** What the player says about a state: plain values in, plain text out. */

const STATUS_WORDS: Record<Availability['status'], string> = {
  starting: 'Starting',
  on_air: 'On air',
  degraded: 'Trouble with the sound',
  silent: 'Silent',
  off_air: 'Off air',
};

/** `On air`, or what is wrong, since when and why: `Off air since 3:05 PM: the encoder has stopped`. */
export function availabilityWords({ availability, station }: StationState, now_ms: number): string {
  const words = STATUS_WORDS[availability.status] ?? 'Unknown';
  if (isWell(availability)) return words;
  const { since_ms, reason } = availability;
  const since = since_ms ? ` since ${pastMoment(since_ms, now_ms, station.timezone)}` : '';
  return `${words}${since}${reason ? `: ${reason}` : ''}`;
}

/** Whether nothing needs explaining. */
export function isWell(availability: Availability): boolean {
  return availability.status === 'on_air' || availability.status === 'starting';
}

export interface NextUp {
  readonly title: string;
  readonly detail: string | null;
  readonly starts_at_ms: number;
  readonly predicted: boolean;
}

/** The next thing to be heard after a moment: the next item, or the next programme when it starts no later. */
export function nextUp(state: StationState, moment_ms: number): NextUp | null {
  const item = state.next.find((next) => next.starts_at_ms > moment_ms);
  const programme = state.next_programme;
  if (programme && programme.starts_at_ms > moment_ms && programme.starts_at_ms <= (item?.starts_at_ms ?? Infinity)) {
    return { title: programme.title, detail: programme.host, starts_at_ms: programme.starts_at_ms, predicted: false };
  }
  if (!item) return null;
  return { title: item.title, detail: item.artist, starts_at_ms: item.starts_at_ms, predicted: item.basis === 'predicted' };
}

export interface Progress {
  readonly elapsed_ms: number;
  /** Null when nobody knows how long the item will be, as on a followed stream. */
  readonly length_ms: number | null;
}

/** How far an item has come at a moment; zeros before anything is known. */
export function progress(item: Item | null | undefined, moment_ms: number): Progress {
  if (!item) return { elapsed_ms: 0, length_ms: 0 };
  const elapsed_ms = Math.max(0, moment_ms - item.starts_at_ms);
  const length_ms = item.duration_ms ?? null;
  return { elapsed_ms: Math.min(elapsed_ms, length_ms ?? Infinity), length_ms };
}

/** The item's title, or what stands for it when no item is known. */
export function nowTitle(state: StationState): string {
  if (!state.now && state.availability.status === 'off_air') return 'Nothing on the air';
  return state.now?.title || state.programme?.title || state.station.name;
}

/** Who is heard, and from what: `Artist, Album`; nothing that the title says already, nor of a sponsor's message. */
export function nowDetail({ now }: StationState): string {
  if (!now || now.kind === 'sponsor') return '';
  return [now.artist, now.album].filter((words) => words && words !== now.title).join(', ');
}

/** Whether the performers say more to a listener than the programme does: they do in music. */
export function isMusic({ now }: StationState): boolean {
  return now?.kind === 'music' && Boolean(now.artist);
}

/** A sponsor's message as it goes on behind the sponsor's name, which is not said twice. */
export function messageAfterName({ sponsor, message }: SupportedBy): string {
  const words = message ?? '';
  return words.startsWith(`${sponsor} `) ? words.slice(sponsor.length + 1) : words;
}

/** `Title with Host`, or nothing while the title already says it. */
export function programmeWords(programme: Programme | null): string {
  if (!programme) return '';
  return programme.host ? `${programme.title} with ${programme.host}` : programme.title;
}

/** An address that is safe to link to or to load from, made absolute; null for anything but http and https. */
export function webAddress(address: string | null | undefined, base: URL): string | null {
  try {
    const url = new URL(address ?? '', base);
    return address && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : null;
  } catch {
    return null;
  }
}
