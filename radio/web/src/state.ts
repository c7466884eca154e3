import type { StationState } from './protocol';

/**
 * A state with every member present. A merge patch can only say null by removing the member, and a state
 * may come from an older server, so absent members mean null or empty.
 */
export function completeState(value: unknown): StationState {
  const state = value as Partial<StationState>;
  const station = state.station ?? ({} as StationState['station']);
  return {
    station: { ...station, name: station.name ?? station.id, streams: station.streams ?? [] },
    availability: state.availability ?? { status: 'starting', since_ms: null, reason: null },
    source: state.source ?? 'schedule',
    programme: state.programme ?? null,
    now: state.now ?? null,
    next: state.next ?? [],
    next_programme: state.next_programme ?? null,
    supported_by: state.supported_by ?? null,
    listeners: state.listeners ?? { current: 0 },
  };
}
