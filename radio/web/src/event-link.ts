import { Alarm } from './alarm';
import { retryAfter_ms } from './backoff';
import { EventParser } from './event-parser';
import { HEARTBEAT_MS, type Link, type LinkOwner, PATIENCE_MS, WELCOME_LIMIT_MS, type Wanted } from './link';
import { parseMessage } from './protocol';

/** Servers commonly take a request line of 8 kB; positions that do not fit are left out, and snapshots come. */
const ADDRESS_LIMIT = 7000;

/**
 * Push by server-sent events, where no WebSocket gets through. Read with fetch instead of EventSource, which tells
 * neither a server's sign of life nor why it failed, comes back without jitter, and cannot say in a new connection
 * what the page has. What the page wants stands in the address, so a change of it means another request; with the
 * positions of the moment, so that nothing is missed.
 */
export class EventLink implements Link {
  readonly #wanted: Wanted;
  readonly #owner: LinkOwner;
  readonly #server: URL;
  readonly #fetch: typeof globalThis.fetch;
  readonly #silence = new Alarm();
  readonly #again = new Alarm();
  #request: AbortController | null = null;
  #patience_ms = HEARTBEAT_MS + PATIENCE_MS;
  #heard_ms = 0;
  #pause_ms = 0;

  constructor(wanted: Wanted, owner: LinkOwner, server: URL, fetch: typeof globalThis.fetch) {
    this.#wanted = wanted;
    this.#owner = owner;
    this.#server = server;
    this.#fetch = fetch;
  }

  open(): void {
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    this.#silence.set(WELCOME_LIMIT_MS, () => this.#lose());
    this.#read(request)
      .catch(() => undefined)
      .then(() => request === this.#request && this.#lose());
  }

  resync(): void {
    this.#again.set(0, () => this.open());
  }

  listen(): void {
    this.resync();
  }

  unlisten(): void {
    // What is still told of it is passed over.
  }

  ping(): void {
    // Nothing can be asked on this way; but a page that wakes up can tell from the silence.
    if (Date.now() - this.#heard_ms > this.#patience_ms - PATIENCE_MS) this.resync();
  }

  close(): void {
    const request = this.#request;
    this.#request = null;
    this.#silence.clear();
    this.#again.clear();
    request?.abort();
  }

  get #address(): URL {
    const stations = this.#wanted.stations();
    const known = this.#wanted.positions();
    const since = stations.map((id) => (known[id] ? `${known[id].epoch}:${known[id].seq}` : ''));
    const listens = new Map([...this.#wanted.listens].map(([session, station]) => [station, session]));
    const url = new URL('api/events', this.#server);
    url.searchParams.set('stations', stations.join(','));
    const listen = [...listens].filter(([id]) => stations.includes(id)).map((pair) => pair.join(':'));
    if (listen.length) url.searchParams.set('listen', listen.join(','));
    const short = url.href.length + since.join('%2C').length < ADDRESS_LIMIT;
    if (short && since.some(Boolean)) url.searchParams.set('since', since.join(','));
    return url;
  }

  async #read(request: AbortController): Promise<void> {
    const sent_ms = Date.now();
    const response = await this.#fetch(this.#address, {
      credentials: 'omit',
      cache: 'no-store',
      headers: { Accept: 'text/event-stream' },
      signal: request.signal,
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    this.#pause_ms = response.ok ? 0 : retryAfter_ms(response);
    if (!response.ok || !isStream || !response.body) throw new Error();
    const reader = response.body.getReader();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || request !== this.#request) return;
      this.#silence.set(this.#patience_ms, () => this.#lose());
      this.#heard_ms = Date.now();
      this.#owner.alive();
      for (const data of parser.take(value)) if (request === this.#request) this.#say(data, sent_ms);
    }
  }

  #say(data: string, sent_ms: number): void {
    const message = parseMessage(data);
    if (!message) return;
    this.#owner.message(message);
    if (message.type !== 'welcome') return;
    this.#patience_ms = message.heartbeat_s * 1000 + PATIENCE_MS;
    this.#owner.sample(message.server_time_ms, sent_ms);
  }

  #lose(): void {
    this.close();
    this.#owner.lost(1006, this.#pause_ms);
  }
}
