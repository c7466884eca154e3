import { Alarm } from './alarm';
import { HEARTBEAT_MS, type Link, type LinkOwner, PATIENCE_MS, WELCOME_LIMIT_MS, type Wanted } from './link';
import { type ClientMessage, type Position, type ServerError, parseMessage } from './protocol';

/** The part of WebSocket that a link uses. */
export type Socket = Pick<WebSocket, 'onmessage' | 'onclose' | 'onerror' | 'send' | 'close'>;

interface Asked {
  readonly again: Alarm;
  id: number;
  tries: number;
}

const LISTEN_RETRY_MS = 2000;
const LISTEN_TRIES = 15;
const PINGS_LIMIT = 8;
/** The server takes frames of 4096 bytes at most; a network of many stations asks in several. */
const REQUEST_LIMIT_BYTES = 4000;

/** Push over a WebSocket: asks, pings after a heartbeat of silence, and gives up on an unanswered ping. */
export class SocketLink implements Link {
  readonly #wanted: Wanted;
  readonly #owner: LinkOwner;
  readonly #connect: () => Socket;
  readonly #silence = new Alarm();
  readonly #asked = new Map<string, Asked>();
  readonly #pings = new Map<number, number>();
  #socket: Socket | null = null;
  #heartbeat_ms = HEARTBEAT_MS;
  #id = 0;

  constructor(wanted: Wanted, owner: LinkOwner, connect: () => Socket) {
    this.#wanted = wanted;
    this.#owner = owner;
    this.#connect = connect;
  }

  open(): void {
    try {
      this.#socket = this.#connect();
    } catch {
      return this.#owner.lost(1006);
    }
    this.#silence.set(WELCOME_LIMIT_MS, () => this.#lose(1006));
    const socket = this.#socket;
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#lose(code);
    // Where a page's policy forbids the address, some browsers tell nothing else.
    socket.onerror = () => socket === this.#socket && this.#lose(1006);
  }

  resync(station: string): void {
    this.#subscribe([station]);
  }

  listen(session: string): void {
    this.#asked.set(session, { again: new Alarm(), id: 0, tries: 0 });
    this.#sendListen(session);
  }

  unlisten(session: string): void {
    this.#asked.get(session)?.again.clear();
    this.#asked.delete(session);
  }

  ping(): void {
    const id = ++this.#id;
    if (this.#pings.size >= PINGS_LIMIT) this.#pings.clear();
    this.#pings.set(id, Date.now());
    this.#silence.set(PATIENCE_MS, () => this.#lose(1006));
    this.#send({ type: 'ping', id });
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#silence.clear();
    for (const session of [...this.#asked.keys()]) this.unlisten(session);
    socket?.close();
  }

  #receive(data: unknown): void {
    this.#silence.set(this.#heartbeat_ms, () => this.ping());
    this.#owner.alive();
    const message = parseMessage(data);
    if (!message) return;
    if (message.type === 'pong') return this.#pong(message.id, message.server_time_ms);
    if (message.type === 'error') return this.#refused(message);
    if (message.type === 'welcome') this.#heartbeat_ms = message.heartbeat_s * 1000;
    this.#owner.message(message);
    if (message.type === 'welcome' && this.#socket) this.#greet();
  }

  #greet(): void {
    this.#subscribe(this.#wanted.stations());
    for (const session of this.#wanted.listens.keys()) this.listen(session);
    this.ping();
  }

  #subscribe(stations: string[]): void {
    const known = this.#wanted.positions();
    let some: string[] = [];
    let bytes = 0;
    for (const station of stations) {
      const own = JSON.stringify([station, station, known[station] ?? '']).length;
      if (some.length && bytes + own > REQUEST_LIMIT_BYTES) {
        this.#sendSubscribe(some, known);
        some = [];
        bytes = 0;
      }
      some.push(station);
      bytes += own;
    }
    if (some.length) this.#sendSubscribe(some, known);
  }

  #sendSubscribe(stations: string[], known: Record<string, Position>): void {
    const since = Object.fromEntries(Object.entries(known).filter(([id]) => stations.includes(id)));
    const some = Object.keys(since).length ? { since } : {};
    this.#send({ type: 'subscribe', id: ++this.#id, stations, ...some });
  }

  #sendListen(session: string): void {
    const asked = this.#asked.get(session);
    const station = this.#wanted.listens.get(session);
    if (!asked || station === undefined) return;
    asked.id = ++this.#id;
    asked.tries += 1;
    this.#send({ type: 'listen', id: asked.id, station, session });
  }

  #pong(id: number, server_time_ms: number): void {
    const sent_ms = this.#pings.get(id);
    if (sent_ms === undefined) return;
    this.#pings.delete(id);
    this.#owner.sample(server_time_ms, sent_ms);
  }

  #refused(error: ServerError): void {
    // The push connection may be quicker than the audio request that makes the session known.
    for (const [session, asked] of this.#asked) {
      if (asked.id !== error.id || asked.tries >= LISTEN_TRIES) continue;
      asked.again.set(LISTEN_RETRY_MS, () => this.#sendListen(session));
    }
  }

  #send(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #lose(code: number): void {
    this.close();
    this.#owner.lost(code);
  }
}
