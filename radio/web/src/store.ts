import { mergePatch } from './merge';
import type { Position, Snapshot, StationState, Update } from './protocol';
import { completeState } from './state';
import { type Timeline, constant, extend, nextChange, stateAt, supersede } from './timeline';

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
    this.#stations.clear();
    for (const state of complete) {
      this.#stations.set(state.station.id, { timeline: constant(state), position: null });
    }
  }

  snapshot(message: Snapshot): void {
    const state = completeState(message.state);
    const from_ms = state.now?.starts_at_ms ?? state.availability.since_ms ?? -Infinity;
    const known = this.#stations.get(message.station)?.timeline ?? [];
    const position = { epoch: message.epoch, seq: message.seq };
    this.#stations.set(message.station, { timeline: supersede(known, from_ms, state), position });
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
}
