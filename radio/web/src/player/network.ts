import { ServerClock } from '../clock';
import { Feed } from '../feed';
import type { StationState } from '../protocol';
import { StationStore } from '../store';

/** Something on the page that plays a station; what it hears decides what the page shows of that station. */
export interface Receiver {
  readonly tuned: string | null;
  readonly heard_ms: number | null;
  hear(session: string, stream_time_ms: number): void;
  tune(station: string, play: boolean): void;
}

const TICK_MS = 250;
const LINGER_MS = 1000;
/** A lost connection shorter than this is not worth a word. */
const GRACE_MS = 1500;

/** What all elements of a page share of one server: one feed, one store, one clock. Fires `change`. */
export class Network extends EventTarget {
  static readonly #all = new Map<string, Network>();

  readonly clock = new ServerClock();
  readonly store = new StationStore();
  readonly feed: Feed;
  readonly receivers = new Set<Receiver>();
  #members = 0;
  #tick: ReturnType<typeof setTimeout> | undefined;
  #downSince_ms: number | null = null;

  static for(server: URL): Network {
    let network = this.#all.get(server.href);
    if (!network) this.#all.set(server.href, (network = new Network(server)));
    return network;
  }

  private constructor(readonly server: URL) {
    super();
    this.feed = new Feed({
      server,
      store: this.store,
      clock: this.clock,
      changed: () => this.#changed(),
      listening: (session, at_ms) => this.receivers.forEach((receiver) => receiver.hear(session, at_ms)),
    });
    const nudge = () => this.#members > 0 && document.visibilityState === 'visible' && this.feed.nudge();
    addEventListener('online', nudge);
    addEventListener('pageshow', nudge);
    document.addEventListener('visibilitychange', nudge);
  }

  join(): void {
    this.#members += 1;
    this.feed.start();
    this.#schedule();
  }

  /** An element that only moves within the page is back before the connection is given up. */
  leave(): void {
    this.#members -= 1;
    setTimeout(() => {
      if (this.#members > 0) return;
      this.feed.close();
      clearTimeout(this.#tick);
    }, LINGER_MS);
  }

  /** The player that the page's other elements follow. */
  get lead(): Receiver | undefined {
    return this.receivers.values().next().value;
  }

  /** The moment at which to look at a station: what is heard of it here, else the server's now. */
  moment(station: string): number {
    for (const receiver of this.receivers) {
      if (receiver.tuned === station && receiver.heard_ms !== null) return receiver.heard_ms;
    }
    return this.clock.now();
  }

  state(station: string): StationState | undefined {
    return this.store.at(station, this.moment(station));
  }

  /** Server time up to which the page is true, when it no longer is; null while all is well. */
  get staleSince_ms(): number | null {
    const down = this.#downSince_ms !== null && performance.now() - this.#downSince_ms > GRACE_MS;
    return down ? this.feed.fresh_at_ms : null;
  }

  #changed(): void {
    const fine = this.feed.status === 'live' || this.feed.status === 'polling' || this.feed.status === 'starting';
    this.#downSince_ms = fine ? null : (this.#downSince_ms ?? performance.now());
    this.dispatchEvent(new Event('change'));
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#tick);
    const due_ms = this.store.ids.map((id) => {
      const moment_ms = this.moment(id);
      return this.store.nextChange(id, moment_ms) - moment_ms;
    });
    const delay_ms = Math.max(10, Math.min(TICK_MS, ...due_ms));
    this.#tick = setTimeout(() => {
      this.dispatchEvent(new Event('change'));
      this.#schedule();
    }, delay_ms);
  }
}
