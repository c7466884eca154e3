import { vi } from 'vitest';
import type { ClientMessage, Position } from '../protocol';
import type { Socket } from '../socket-link';
import { item, state } from './states';
// The feed fetches it when it needs it; here it is there, as no time passes while it comes.
import '../event-link';

/** A server that answers as the test says, with everything it was asked for. */
export class Server {
  sockets: FakeSocket[] = [];
  streams: FakeStream[] = [];
  /** When each connection was tried, by whatever transport. */
  tried_ms: number[] = [];
  /** When the list of stations was asked for. */
  fetched_ms: number[] = [];
  /** Whether the list is answered. */
  answers = true;
  /** Whether WebSockets are refused. */
  refuses = false;
  /** What a request for events is answered with. */
  events: 'stream' | 'refusal' | 'page' | 'nothing' | 'busy' = 'refusal';
  /** What a server that is asked too much says of when to come back; null: it is not. */
  busy_s: string | null = null;
  stations = ['harbor', 'meridian'];
  stateOf = (id: string) => state(id);

  readonly connect = (url: string): Socket => {
    this.tried_ms.push(Date.now());
    if (this.refuses) throw new Error('refused');
    const socket = new FakeSocket(url);
    this.sockets.push(socket);
    return socket as unknown as Socket;
  };

  readonly fetch = async (input: unknown, options: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input));
    if (url.pathname === '/api/events') return this.#events(url, options.signal as AbortSignal);
    this.fetched_ms.push(Date.now());
    if (!this.answers) throw new TypeError('no network');
    if (this.busy_s !== null) return busy(this.busy_s);
    return Response.json({ stations: this.stations.map((id) => this.stateOf(id)) });
  };

  get fetches(): number {
    return this.fetched_ms.length;
  }

  get socket(): FakeSocket {
    return newest(this.sockets);
  }

  get stream(): FakeStream {
    return newest(this.streams);
  }

  #events(url: URL, signal: AbortSignal): Promise<Response> | Response {
    this.tried_ms.push(Date.now());
    if (this.events === 'refusal') throw new TypeError('no network');
    if (this.events === 'page') return new Response('<html>', { headers: { 'content-type': 'text/html' } });
    if (this.events === 'busy') return busy(this.busy_s ?? '0');
    if (this.events === 'nothing') return new Promise(() => undefined);
    const stream = new FakeStream(url, signal);
    this.streams.push(stream);
    return new Response(stream.body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  }
}

function busy(retry_after: string): Response {
  return new Response('{}', { status: 503, headers: { 'retry-after': retry_after } });
}

/** The server's end of a connection. */
export abstract class Peer {
  closed = false;

  abstract says(message: object): void;
  /** The connection ends without a word. */
  abstract breaks(): void;
  /** What the client said that it has. */
  abstract get since(): Record<string, Position> | undefined;
  /** The sessions whose T0 it asked for. */
  abstract get heard(): string[];

  greets(epoch = 'e1', ahead_ms = 0): void {
    this.says({ type: 'welcome', protocol: 1, epoch, server_time_ms: Date.now() + ahead_ms, heartbeat_s: 25 });
  }

  snapshot(seq: number, title = 'Salt on the Window'): void {
    const now = item({ title, starts_at_ms: Date.now() });
    this.says({ type: 'snapshot', station: 'harbor', epoch: 'e1', seq, state: state('harbor', { now }) });
  }

  update(seq: number, title: string, at_ms = Date.now()): void {
    this.says({ type: 'update', station: 'harbor', seq, at_ms, changed: ['now'], patch: { now: { title } } });
  }

  listening(session: string, stream_time_ms: number): void {
    this.says({ type: 'listening', session, station: 'harbor', stream_time_ms });
  }
}

export class FakeSocket extends Peer {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  sent: ClientMessage[] = [];

  constructor(readonly url: string) {
    super();
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.closed = true;
  }

  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  breaks(code = 1006): void {
    this.onclose?.({ code });
  }

  get since(): Record<string, Position> | undefined {
    return this.of('subscribe')[0]?.since;
  }

  get heard(): string[] {
    return this.of('listen').map((message) => message.session);
  }

  of<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter((message) => message.type === type) as Extract<ClientMessage, { type: T }>[];
  }
}

export class FakeStream extends Peer {
  readonly body: ReadableStream<Uint8Array>;
  #end!: ReadableStreamDefaultController<Uint8Array>;

  constructor(
    readonly url: URL,
    signal: AbortSignal,
  ) {
    super();
    this.body = new ReadableStream({ start: (end) => void (this.#end = end) });
    signal.addEventListener('abort', () => {
      if (!this.closed) this.#end.error(signal.reason);
      this.closed = true;
    });
  }

  says(message: object): void {
    this.writes(`id: e1:0\ndata: ${JSON.stringify(message)}\n\n`);
  }

  writes(text: string): void {
    if (!this.closed) this.#end.enqueue(new TextEncoder().encode(text));
  }

  breaks(): void {
    if (!this.closed) this.#end.close();
    this.closed = true;
  }

  get since(): Record<string, Position> | undefined {
    const said = this.url.searchParams.get('since')?.split(',');
    const known = this.stations.flatMap((id, index) => {
      const [epoch, seq] = said?.[index]?.split(':') ?? [];
      return epoch ? [[id, { epoch, seq: Number(seq) }]] : [];
    });
    return said && Object.fromEntries(known);
  }

  get heard(): string[] {
    return (this.url.searchParams.get('listen') ?? '').split(',').flatMap((pair) => pair.split(':')[1] ?? []);
  }

  get stations(): string[] {
    return this.url.searchParams.get('stations')?.split(',') ?? [];
  }
}

/** Lets everything happen that waits for no time to pass. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await vi.advanceTimersByTimeAsync(0);
}

function newest<T>(those: T[]): T {
  const last = those.at(-1);
  if (!last) throw new Error('nobody connected');
  return last;
}
