import { Alarm } from './alarm';
import { fullJitter } from './backoff';
import type { ServerClock } from './clock';
import { type ClientMessage, type ServerError, type ServerMessage, type Welcome, isFinalClose, parseMessage } from './protocol';
import type { StationStore } from './store';

/**
 * - `starting`: nothing known yet
 * - `live`: pushed updates arrive
 * - `polling`: no push can be had, the states are fetched every 10 s
 * - `reconnecting`: what is known grows old
 * - `stopped`: the server asked this client to stay away
 */
export type FeedStatus = 'starting' | 'live' | 'polling' | 'reconnecting' | 'stopped';

/** The part of WebSocket that the feed uses. */
export type Socket = Pick<WebSocket, 'onmessage' | 'onclose' | 'send' | 'close'>;

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

interface Listen {
  readonly station: string;
  readonly again: Alarm;
  id: number;
  tries: number;
}

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LIMIT_MS = 20_000;
const WELCOME_LIMIT_MS = 10_000;
const PONG_LIMIT_MS = 10_000;
const STEADY_MS = 10_000;
const POLL_MS = 10_000;
const FAILURES_BEFORE_POLLING = 3;
const LISTEN_RETRY_MS = 2000;
const LISTEN_TRIES = 15;
const PINGS_LIMIT = 8;
/** An HTTP date counts whole seconds, so it only corrects a clock that is clearly wrong. */
const ROUGH_CLOCK_MS = 2000;

/** Keeps a store up to date over push protocol 1, and falls back to polling where no WebSocket gets through. */
export class Feed {
  status: FeedStatus = 'starting';
  /** Server time at which the states were last known to be true; null before anything is known. */
  fresh_at_ms: number | null = null;

  readonly #options: FeedOptions;
  readonly #connect: (url: string) => Socket;
  readonly #random: () => number;
  readonly #link = new Alarm();
  readonly #retry = new Alarm();
  readonly #poll = new Alarm();
  readonly #steady = new Alarm();
  readonly #listens = new Map<string, Listen>();
  readonly #pings = new Map<number, number>();
  #socket: Socket | null = null;
  #running = false;
  #heartbeat_ms = 25_000;
  #attempt = 0;
  #failures = 0;
  #id = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#connect = options.connect ?? ((url) => new WebSocket(url));
    this.#random = options.random ?? Math.random;
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
      this.#ping();
    }
  }

  /** Asks for the stream time at which a session's sound begins, now and after every reconnection. */
  listen(session: string, station: string): void {
    this.#listens.set(session, { station, again: new Alarm(), id: 0, tries: 0 });
    if (this.status === 'live') this.#sendListen(session);
  }

  unlisten(session: string): void {
    this.#listens.get(session)?.again.clear();
    this.#listens.delete(session);
  }

  async #begin(): Promise<void> {
    if (this.#options.store.ids.length === 0 && !(await this.#load())) {
      if (this.#running) this.#later();
      return;
    }
    if (this.#running && !this.#socket) this.#open();
  }

  async #load(): Promise<boolean> {
    const fetch = this.#options.fetch ?? globalThis.fetch.bind(globalThis);
    try {
      const response = await fetch(new URL('api/stations', this.#options.server), {
        credentials: 'omit',
        cache: 'no-cache',
        signal: AbortSignal.timeout(WELCOME_LIMIT_MS),
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
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

  #open(): void {
    const url = new URL('api/ws', this.#options.server);
    url.protocol = url.protocol.replace('http', 'ws');
    let socket: Socket;
    try {
      socket = this.#connect(url.href);
    } catch {
      this.#lost(1006);
      return;
    }
    this.#socket = socket;
    this.#link.set(WELCOME_LIMIT_MS, () => this.#abandon());
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(parseMessage(data));
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#lost(code);
    };
  }

  #receive(message: ServerMessage | null): void {
    if (this.status === 'live' || message?.type === 'welcome') {
      this.#freshen();
      this.#link.set(this.#heartbeat_ms, () => this.#ping());
    }
    switch (message?.type) {
      case 'welcome':
        return this.#welcome(message);
      case 'snapshot':
        this.#options.store.snapshot(message);
        return this.#options.changed();
      case 'update':
        if (this.#options.store.update(message) === 'gap') this.#subscribe([message.station]);
        return this.#options.changed();
      case 'listening':
        if (this.#listens.has(message.session)) this.#options.listening(message.session, message.stream_time_ms);
        return this.#options.changed();
      case 'pong':
        return this.#pong(message.id, message.server_time_ms);
      case 'error':
        return this.#refused(message);
    }
  }

  #welcome(message: Welcome): void {
    this.#failures = 0;
    this.#poll.clear();
    this.#heartbeat_ms = message.heartbeat_s * 1000;
    this.#options.clock.begin(message.server_time_ms);
    this.#become('live');
    this.#freshen();
    this.#steady.set(STEADY_MS, () => (this.#attempt = 0));
    this.#subscribe(this.#options.store.ids);
    for (const [session, listen] of this.#listens) {
      listen.tries = 0;
      this.#sendListen(session);
    }
    this.#ping();
  }

  #subscribe(stations: string[]): void {
    if (stations.length === 0) return;
    const known = this.#options.store.positions();
    const since = Object.fromEntries(Object.entries(known).filter(([id]) => stations.includes(id)));
    this.#send({
      type: 'subscribe',
      id: ++this.#id,
      stations,
      ...(Object.keys(since).length ? { since } : {}),
    });
  }

  #sendListen(session: string): void {
    const listen = this.#listens.get(session);
    if (!listen) return;
    listen.id = ++this.#id;
    listen.tries += 1;
    this.#send({ type: 'listen', id: listen.id, station: listen.station, session });
  }

  #ping(): void {
    const id = ++this.#id;
    if (this.#pings.size >= PINGS_LIMIT) this.#pings.clear();
    this.#pings.set(id, Date.now());
    this.#link.set(PONG_LIMIT_MS, () => this.#abandon());
    this.#send({ type: 'ping', id });
  }

  #pong(id: number, server_time_ms: number): void {
    const sent_ms = this.#pings.get(id);
    if (sent_ms === undefined) return;
    this.#pings.delete(id);
    this.#options.clock.sample(server_time_ms, sent_ms);
    this.#options.changed();
  }

  #refused(error: ServerError): void {
    // The push connection may be quicker than the audio request that makes the session known.
    for (const [session, listen] of this.#listens) {
      if (listen.id !== error.id || listen.tries >= LISTEN_TRIES) continue;
      listen.again.set(LISTEN_RETRY_MS, () => this.#sendListen(session));
    }
  }

  #send(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #abandon(): void {
    this.#disconnect();
    this.#lost(1006);
  }

  #disconnect(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#pings.clear();
    this.#link.clear();
    this.#steady.clear();
    for (const listen of this.#listens.values()) listen.again.clear();
    socket?.close();
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
    this.#retry.set(delay_ms, () => void this.#begin());
  }

  async #pollOnce(): Promise<void> {
    this.#poll.set(POLL_MS, () => void this.#pollOnce());
    if ((await this.#load()) && this.#poll.isSet) this.#become('polling');
  }

  #freshen(): void {
    this.fresh_at_ms = this.#options.clock.now();
  }

  #become(status: FeedStatus): void {
    if (this.status === status) return;
    this.status = status;
    this.#options.changed();
  }
}
