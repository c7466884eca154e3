import { mergePatch } from './merge';
import type { Position, Snapshot, StationState, Update } from './protocol';
import { completeState } from './state';
import { type Timeline, extend, nextChange, stateAt, supersede } from './timeline';

interface Followed {
  readonly timeline: Timeline<StationState>;
  /** Null until a snapshot says where in the sequence the station is. */
  readonly position: Position | null;
}

export type Outcome = 'applied' | 'ignored' | 'gap';

/** Every station's timeline and its place in the sequence of updates. Knows no transport and no clock. */
export class StationStore {
  readonly #stations = new Map<string, Followed>();

  /** Ids in the order in which the server lists its stations. */
  get ids(): string[] {
    return [...this.#stations.keys()];
  }

  /** Takes a whole list, as from `GET /api/stations`; it carries no position, so resuming starts afresh. */
  load(states: readonly unknown[]): void {
    const complete = states.map(completeState).filter((state) => typeof state.station.id === 'string');
    const known = new Map(this.#stations);
    this.#stations.clear();
    for (const state of complete) {
      const before = known.get(state.station.id)?.timeline ?? [];
      this.#stations.set(state.station.id, { timeline: supersede(before, beginning(state), state), position: null });
    }
  }

  snapshot(message: Snapshot): void {
    const state = completeState(message.state);
    const known = this.#stations.get(message.station)?.timeline ?? [];
    const position = { epoch: message.epoch, seq: message.seq };
    this.#stations.set(message.station, { timeline: supersede(known, beginning(state), state), position });
  }

  /** Adds an update. `gap` means that some were missed: the caller asks for a snapshot, others wait for it. */
  update(message: Update): Outcome {
    const followed = this.#stations.get(message.station);
    if (!followed?.position || message.seq <= followed.position.seq) return 'ignored';
    if (message.seq !== followed.position.seq + 1) {
      this.#stations.set(message.station, { ...followed, position: null });
      return 'gap';
    }
    const state = completeState(mergePatch(followed.timeline.at(-1)?.state, message.patch));
    const position = { ...followed.position, seq: message.seq };
    this.#stations.set(message.station, { timeline: extend(followed.timeline, message.at_ms, state), position });
    return 'applied';
  }

  /** Where each station can resume; stations without a position are left out. */
  positions(): Record<string, Position> {
    const known = [...this.#stations].flatMap(([id, { position }]) => (position ? [[id, position] as const] : []));
    return Object.fromEntries(known);
  }

  /** The state of a station at a moment of its stream time. */
  at(id: string, moment_ms: number): StationState | undefined {
    return stateAt(this.#stations.get(id)?.timeline ?? [], moment_ms);
  }

  nextChange(id: string, moment_ms: number): number {
    return nextChange(this.#stations.get(id)?.timeline ?? [], moment_ms);
  }

  /** When the newest states themselves say that something ends, after a moment; Infinity where nothing does. */
  expected(moment_ms: number): number {
    const ends = [...this.#stations.values()].flatMap(({ timeline }) => {
      const { now, programme, supported_by } = timeline.at(-1)?.state ?? {};
      return [now?.ends_at_ms, programme?.ends_at_ms, supported_by?.ends_at_ms];
    });
    return Math.min(Infinity, ...ends.filter((end_ms) => end_ms != null && end_ms > moment_ms).map(Number));
  }
}

/** The moment from which a whole state holds, as far as it tells. */
function beginning(state: StationState): number {
  return state.now?.starts_at_ms ?? state.availability.since_ms ?? -Infinity;
}
