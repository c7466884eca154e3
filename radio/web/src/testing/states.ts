import type { Item, StationState } from '../protocol';
import { completeState } from '../state';

/** A moment to count from: Friday, 6 March 2026, 20:00 UTC, which is 3:00 PM in New York. */
export const START_MS = Date.UTC(2026, 2, 6, 20, 0, 0);

export function item(fields: Partial<Item> = {}): Item {
  return {
    id: 'i1',
    kind: 'music',
    title: 'Salt on the Window',
    artist: 'Grey Heron',
    album: 'Estuary',
    artwork: null,
    starts_at_ms: START_MS,
    ends_at_ms: START_MS + 245_000,
    duration_ms: 245_000,
    ...fields,
  };
}

export function state(id: string, fields: Partial<StationState> = {}): StationState {
  return completeState({
    station: {
      id,
      name: `Station ${id}`,
      tagline: null,
      timezone: 'America/New_York',
      logo: null,
      streams: [{ mount: 'live.mp3', url: `/listen/${id}/live.mp3`, format: 'mp3', bitrate_kbps: 128 }],
    },
    availability: { status: 'on_air', since_ms: START_MS, reason: null },
    now: item(),
    ...fields,
  });
}
