/** A sample of worse quality replaces the offset only when it is off by more than this. */
const STEP_MS = 1000;

/**
 * The server's clock as seen from here: this machine's clock plus a measured offset. Of the samples of one
 * connection the one with the shortest round trip wins; half of it is taken for the way back.
 */
export class ServerClock {
  #offset_ms = 0;
  #shortest_ms = Infinity;

  /** The server's time now, Unix milliseconds. */
  now(): number {
    return Date.now() + this.#offset_ms;
  }

  /** A rough reading with unknown delay, such as a first message or an HTTP date; later samples are better. */
  begin(server_time_ms: number): void {
    this.#shortest_ms = Infinity;
    this.#offset_ms = server_time_ms - Date.now();
  }

  /** An answer that carries the server's time, for a question asked at `sent_ms` of this machine's clock. */
  sample(server_time_ms: number, sent_ms: number): void {
    const received_ms = Date.now();
    const round_trip_ms = Math.max(0, received_ms - sent_ms);
    const offset_ms = server_time_ms + round_trip_ms / 2 - received_ms;
    const stepped = Math.abs(offset_ms - this.#offset_ms) > STEP_MS + round_trip_ms;
    if (round_trip_ms > this.#shortest_ms && !stepped) return;
    this.#shortest_ms = round_trip_ms;
    this.#offset_ms = offset_ms;
  }
}
