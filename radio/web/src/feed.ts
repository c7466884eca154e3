import { Alarm } from './alarm';
import { fullJitter, retryAfter_ms } from './backoff';
import type { ServerClock } from './clock';
import type { EventLink } from './event-link';
import { LateLink } from './late-link';
import { type Link, type LinkOwner, WELCOME_LIMIT_MS, type Wanted } from './link';
import { type ServerMessage, type Welcome, isFinalClose } from './protocol';
import { type Socket, SocketLink } from './socket-link';
import type { StationStore } from './store';

/**
 * - `starting`: nothing known yet
 * - `live`: pushed updates arrive
 * - `polling`: no push can be had, the states are fetched from time to time
 * - `reconnecting`: what is known grows old
 * - `stopped`: the server asked this client to stay away
 */
export type FeedStatus = 'starting' | 'live' | 'polling' | 'reconnecting' | 'stopped';

/** How updates are pushed: by WebSocket, or by server-sent events. */
export type Transport = 'socket' | 'events';

export interface FeedOptions {
  /** Base address, ending in a slash. */
  readonly server: URL;
  readonly store: StationStore;
  readonly clock: ServerClock;
  /** Something that pages show has changed. */
  readonly changed: () => void;
  /** The stream time of a session's first sample (T0). */
  readonly listening: (session: string, stream_time_ms: number) => void;
  readonly connect?: (url: string) => Socket;
  readonly fetch?: typeof globalThis.fetch;
  readonly random?: () => number;
}

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LIMIT_MS = 20_000;
const STEADY_MS = 10_000;
const FAILURES_BEFORE_POLLING = 3;
/** Failures in a row after which a transport that has worked here is no longer the only one tried. */
const FAITHFUL_FAILURES = 4;
const POLL_MS = 10_000;
const POLL_SOONEST_MS = 3000;
/** How long after an expected change the states are fetched: at least, and spread over. */
const POLL_AFTER_MS = 300;
const POLL_SPREAD_MS = 1500;
const UPGRADE_FIRST_MS = 60_000;
const UPGRADE_LIMIT_MS = 3_600_000;
/** An HTTP date counts whole seconds, so it only corrects a clock that is clearly wrong. */
const ROUGH_CLOCK_MS = 2000;

/**
 * Keeps a store up to date over push protocol 1: by WebSocket, where none gets through by server-sent events, and
 * while neither does by fetching the states. Whichever it is, it comes back with full jitter and resumes where it was.
 */
export class Feed {
  status: FeedStatus = 'starting';
  /** How updates are pushed now; null while they are not. */
  transport: Transport | null = null;
  /** Server time at which the states were last known to be true; null before anything is known. */
  fresh_at_ms: number | null = null;

  readonly #options: FeedOptions;
  readonly #fetch: typeof globalThis.fetch;
  readonly #random: () => number;
  readonly #wanted: Wanted;
  readonly #retry = new Alarm();
  readonly #poll = new Alarm();
  readonly #steady = new Alarm();
  readonly #upgrade = new Alarm();
  readonly #listens = new Map<string, string>();
  /** Null until it is needed, as on most pages it never is. */
  #EventLink: typeof EventLink | null = null;
  #link: Link | null = null;
  /** A WebSocket that is tried while updates come as events. */
  #probe: Link | null = null;
  #probes = 0;
  #proven: Transport | null = null;
  #running = false;
  #attempt = 0;
  #failures = 0;
  /** Until when the server has asked to be left alone. */
  #pause_ms = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#random = options.random ?? Math.random;
    const { store } = options;
    this.#wanted = { stations: () => store.ids, positions: () => store.positions(), listens: this.#listens };
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#attempt = this.#failures = 0;
    void this.#begin();
  }

  close(): void {
    this.#running = false;
    this.#disconnect();
    this.#retry.clear();
    this.#poll.clear();
    this.#become('starting');
  }

  /** Tries at once when waiting to reconnect, and asks for a sign of life when connected. */
  nudge(): void {
    if (this.#retry.isSet) {
      this.#retry.clear();
      void this.#begin();
    } else if (this.status === 'live') {
      this.#link?.ping();
    }
  }

  /** Asks for the stream time at which a session's sound begins, now and after every reconnection. */
  listen(session: string, station: string): void {
    this.#listens.set(session, station);
    if (this.status === 'live') this.#link?.listen(session);
  }

  unlisten(session: string): void {
    this.#listens.delete(session);
    this.#link?.unlisten(session);
  }

  async #begin(): Promise<void> {
    if (this.#options.store.ids.length === 0 && !(await this.#load())) {
      if (this.#running) this.#later();
      return;
    }
    if (!this.#running || this.#link) return;
    this.#link = this.#make(this.#next());
    this.#link.open();
  }

  async #load(): Promise<boolean> {
    if (Date.now() < this.#pause_ms) return false;
    try {
      const response = await this.#fetch(new URL('api/stations', this.#options.server), {
        credentials: 'omit',
        cache: 'no-cache',
        signal: AbortSignal.timeout(WELCOME_LIMIT_MS),
      });
      if (!response.ok) {
        this.#spare(retryAfter_ms(response));
        throw new Error();
      }
      const body = (await response.json()) as { stations: unknown[] };
      if (!this.#running || this.status === 'live') return this.#running;
      this.#setRoughClock(response.headers.get('date'));
      this.#options.store.load(body.stations);
    } catch {
      if (this.#running && this.status !== 'live') this.#become('reconnecting');
      return false;
    }
    this.#freshen();
    this.#options.changed();
    return true;
  }

  #setRoughClock(date: string | null): void {
    const date_ms = Date.parse(date ?? '');
    if (Math.abs(date_ms - this.#options.clock.now()) > ROUGH_CLOCK_MS) this.#options.clock.begin(date_ms);
  }

  /** WebSocket first. From then on what has worked here, and the other one in turn when that goes on failing. */
  #next(): Transport {
    const first = this.#proven ?? 'socket';
    const turn = this.#failures - (this.#proven ? FAITHFUL_FAILURES : 1);
    if (turn < 0 || turn % 2 === 1) return first;
    return first === 'socket' ? 'events' : 'socket';
  }

  #make(transport: Transport): Link {
    const { server, clock, connect } = this.#options;
    const owner: LinkOwner = {
      alive: () => link === this.#link && this.status === 'live' && this.#freshen(),
      message: (message) => this.#receive(link, transport, message),
      sample: (server_time_ms, sent_ms) => {
        if (link !== this.#link) return;
        clock.sample(server_time_ms, sent_ms);
        this.#options.changed();
      },
      lost: (code, pause_ms = 0) => {
        this.#spare(pause_ms);
        this.#ended(link, code);
      },
    };
    const url = new URL('api/ws', server);
    url.protocol = url.protocol.replace('http', 'ws');
    const link: Link =
      transport === 'socket'
        ? new SocketLink(this.#wanted, owner, () => (connect ? connect(url.href) : new WebSocket(url)))
        : this.#EventLink
          ? new this.#EventLink(this.#wanted, owner, server, this.#fetch)
          : new LateLink(owner, () => this.#learnEvents(owner));
    return link;
  }

  async #learnEvents(owner: LinkOwner): Promise<Link> {
    // Some browsers never ask again for a module that once failed to come: ask only a server that answers.
    if (this.#proven && !(await this.#load())) throw new Error();
    const Known = (this.#EventLink = (await import('./event-link')).EventLink);
    return new Known(this.#wanted, owner, this.#options.server, this.#fetch);
  }

  #receive(link: Link, transport: Transport, message: ServerMessage): void {
    if (link === this.#probe && message.type === 'welcome') this.#move(link);
    if (link !== this.#link) return;
    const { store, changed, listening } = this.#options;
    switch (message.type) {
      case 'welcome':
        return this.#welcome(transport, message);
      case 'snapshot':
        store.snapshot(message);
        return changed();
      case 'update':
        if (store.update(message) === 'gap') link.resync(message.station);
        return changed();
      case 'listening':
        if (this.#listens.has(message.session)) listening(message.session, message.stream_time_ms);
        return changed();
    }
  }

  #welcome(transport: Transport, message: Welcome): void {
    this.#failures = 0;
    this.#poll.clear();
    this.#options.clock.begin(message.server_time_ms);
    this.#proven = transport;
    if (transport === 'socket') this.#probes = 0;
    else if (!this.#upgrade.isSet && !this.#probe) this.#probeLater();
    this.#freshen();
    this.#become('live', transport);
    this.#steady.set(STEADY_MS, () => (this.#attempt = 0));
  }

  /** A page that came to events in a short trouble goes back to the WebSocket, which also notices a dead link. */
  #probeLater(): void {
    const window_ms = Math.min(UPGRADE_LIMIT_MS, UPGRADE_FIRST_MS * 2 ** Math.min(this.#probes++, 10));
    this.#upgrade.set(window_ms * (0.5 + this.#random() / 2), () => {
      this.#probe = this.#make('socket');
      this.#probe.open();
    });
  }

  #move(link: Link): void {
    this.#link?.close();
    this.#link = link;
    this.#probe = null;
  }

  #ended(link: Link, code: number): void {
    if (link === this.#probe) {
      this.#probe = null;
      this.#probeLater();
    } else if (link === this.#link) {
      this.#lost(code);
    }
  }

  #disconnect(): void {
    for (const link of [this.#link, this.#probe]) link?.close();
    this.#link = this.#probe = null;
    this.#steady.clear();
    this.#upgrade.clear();
  }

  #lost(code: number): void {
    const greeted = this.status === 'live';
    this.#disconnect();
    if (isFinalClose(code)) {
      this.#poll.clear();
      this.#become('stopped');
      return;
    }
    this.#failures = greeted ? 0 : this.#failures + 1;
    if (this.status !== 'polling') this.#become('reconnecting');
    if (this.#failures >= FAILURES_BEFORE_POLLING && !this.#poll.isSet) void this.#pollOnce();
    this.#later();
  }

  #later(): void {
    const delay_ms = fullJitter(this.#attempt++, BACKOFF_FIRST_MS, BACKOFF_LIMIT_MS, this.#random);
    this.#retry.set(delay_ms + Math.max(0, this.#pause_ms - Date.now()), () => void this.#begin());
  }

  /** Nobody is left alone for longer than the longest pause. */
  #spare(pause_ms: number): void {
    if (pause_ms) this.#pause_ms = Date.now() + Math.min(pause_ms, BACKOFF_LIMIT_MS);
  }

  async #pollOnce(): Promise<void> {
    this.#poll.set(POLL_MS, () => void this.#pollOnce());
    if (!(await this.#load()) || !this.#poll.isSet) return;
    this.#become('polling');
    this.#poll.set(this.#pollDelay_ms(), () => void this.#pollOnce());
  }

  /** Soon after the next change that the states themselves announce, though not with everyone else; else regularly. */
  #pollDelay_ms(): number {
    const now_ms = this.#options.clock.now();
    const due_ms = this.#options.store.expected(now_ms) - now_ms;
    const soon_ms = Math.max(POLL_SOONEST_MS, due_ms + POLL_AFTER_MS + this.#random() * POLL_SPREAD_MS);
    return Math.min(POLL_MS * (0.75 + this.#random() / 4), soon_ms);
  }

  #freshen(): void {
    this.fresh_at_ms = this.#options.clock.now();
  }

  #become(status: FeedStatus, transport: Transport | null = null): void {
    if (this.status === status && this.transport === transport) return;
    this.status = status;
    this.transport = transport;
    this.#options.changed();
  }
}
