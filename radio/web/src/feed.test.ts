import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ServerClock } from './clock';
import { Feed, type Socket } from './feed';
import type { ClientMessage } from './protocol';
import { StationStore } from './store';
import { START_MS, item, state } from './testing/states';

/** A server that answers as the test says, with every socket it was asked for. */
class Server {
  sockets: FakeSocket[] = [];
  fetches = 0;
  answers = true;
  refuses = false;

  readonly connect = (url: string): Socket => {
    if (this.refuses) throw new Error('refused');
    const socket = new FakeSocket(url);
    this.sockets.push(socket);
    return socket as unknown as Socket;
  };

  readonly fetch = async (): Promise<Response> => {
    this.fetches += 1;
    if (!this.answers) throw new TypeError('no network');
    return Response.json({ stations: [state('harbor'), state('meridian')] });
  };

  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error('nobody connected');
    return last;
  }
}

class FakeSocket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: ClientMessage[] = [];
  closed = false;

  constructor(readonly url: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.closed = true;
  }

  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

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

  breaks(code: number): void {
    this.onclose?.({ code });
  }

  of<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter((message) => message.type === type) as Extract<ClientMessage, { type: T }>[];
  }
}

describe('Feed', () => {
  let server: Server;
  let store: StationStore;
  let clock: ServerClock;
  let feed: Feed;
  let random: number;
  let heard: [string, number][];

  beforeEach(() => {
    vi.useFakeTimers({ now: START_MS });
    server = new Server();
    store = new StationStore();
    clock = new ServerClock();
    random = 1;
    heard = [];
    feed = new Feed({
      server: new URL('https://radio.example/'),
      store,
      clock,
      changed: () => undefined,
      listening: (session, at_ms) => heard.push([session, at_ms]),
      connect: server.connect,
      fetch: server.fetch,
      random: () => random,
    });
  });

  afterEach(() => {
    feed.close();
    vi.useRealTimers();
  });

  async function goLive(): Promise<void> {
    feed.start();
    await vi.advanceTimersByTimeAsync(0);
    server.socket.greets();
    server.socket.snapshot(41);
  }

  function title(): string | undefined {
    return store.at('harbor', clock.now())?.now?.title;
  }

  it('learns the stations, then subscribes to all of them', async () => {
    await goLive();
    expect(server.socket.url).toBe('wss://radio.example/api/ws');
    expect(server.socket.of('subscribe')).toMatchObject([{ stations: ['harbor', 'meridian'] }]);
    expect(server.socket.of('subscribe')[0]).not.toHaveProperty('since');
    expect(feed.status).toBe('live');
  });

  it('takes updates in order', async () => {
    await goLive();
    server.socket.update(42, 'Lamplight');
    server.socket.update(43, 'Nocturne');
    expect(title()).toBe('Nocturne');
  });

  it('holds an update back until its moment', async () => {
    await goLive();
    server.socket.update(42, 'Lamplight', Date.now() + 3000);
    expect(title()).toBe('Salt on the Window');
    await vi.advanceTimersByTimeAsync(3000);
    expect(title()).toBe('Lamplight');
  });

  it('asks for a snapshot when an update is missing', async () => {
    await goLive();
    server.socket.update(44, 'Nocturne');
    server.socket.update(45, 'Undertow');
    expect(title()).toBe('Salt on the Window');
    expect(server.socket.of('subscribe')).toHaveLength(2);
    expect(server.socket.of('subscribe')[1]).toMatchObject({ stations: ['harbor'] });
    expect(server.socket.of('subscribe')[1]).not.toHaveProperty('since');
    server.socket.snapshot(45, 'Undertow');
    expect(title()).toBe('Undertow');
  });

  it('resumes where it was after a lost connection', async () => {
    await goLive();
    server.socket.update(42, 'Lamplight');
    server.socket.breaks(1006);
    expect(feed.status).toBe('reconnecting');
    expect(title()).toBe('Lamplight');
    await vi.advanceTimersByTimeAsync(500);
    server.socket.greets();
    expect(server.sockets).toHaveLength(2);
    expect(server.socket.of('subscribe')[0]?.since).toEqual({ harbor: { epoch: 'e1', seq: 42 } });
    server.socket.update(43, 'Nocturne');
    expect(title()).toBe('Nocturne');
  });

  it('waits between 0 and a window that doubles from 0.5 s to 20 s', async () => {
    await goLive();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const before = server.sockets.length;
      const broke_ms = Date.now();
      server.socket.breaks(1006);
      while (server.sockets.length === before) await vi.advanceTimersByTimeAsync(100);
      waits.push(Date.now() - broke_ms);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    random = 0;
    const before = server.sockets.length;
    server.socket.breaks(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(server.sockets).toHaveLength(before + 1);
  });

  it('starts the windows afresh only after a connection that lasted', async () => {
    await goLive();
    server.socket.breaks(4000);
    await vi.advanceTimersByTimeAsync(500);
    server.socket.greets();
    server.socket.breaks(4000);
    await vi.advanceTimersByTimeAsync(999);
    expect(server.sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    server.socket.greets();
    await vi.advanceTimersByTimeAsync(10_000);
    server.socket.breaks(4000);
    await vi.advanceTimersByTimeAsync(500);
    expect(server.sockets).toHaveLength(4);
  });

  it.each([
    [4000, 'reconnecting', 2],
    [4499, 'reconnecting', 2],
    [4500, 'stopped', 1],
    [4999, 'stopped', 1],
    [1001, 'reconnecting', 2],
  ])('close code %i leaves it %s', async (code, status, connections) => {
    await goLive();
    server.socket.breaks(code);
    expect(feed.status).toBe(status);
    await vi.advanceTimersByTimeAsync(9000);
    expect(server.sockets.length).toBe(connections);
  });

  it('notices a dead link: silence for the heartbeat, and a ping that stays unanswered for 10 s', async () => {
    await goLive();
    const { socket } = server;
    await vi.advanceTimersByTimeAsync(24_999);
    expect(socket.of('ping')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.of('ping')).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(9999);
    expect(feed.status).toBe('live');
    await vi.advanceTimersByTimeAsync(1);
    expect(feed.status).toBe('reconnecting');
    expect(socket.closed).toBe(true);
  });

  it('stays connected while pings are answered', async () => {
    await goLive();
    for (let beat = 0; beat < 5; beat += 1) {
      const id = server.socket.of('ping').at(-1)?.id;
      server.socket.says({ type: 'pong', id, server_time_ms: Date.now() });
      await vi.advanceTimersByTimeAsync(26_000);
    }
    expect(feed.status).toBe('live');
    expect(server.sockets).toHaveLength(1);
  });

  it('gives up on a server that never says welcome', async () => {
    feed.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.sockets[0]?.closed).toBe(true);
    expect(feed.status).toBe('reconnecting');
  });

  it('measures the server clock by half the shortest round trip', async () => {
    feed.start();
    await vi.advanceTimersByTimeAsync(0);
    server.socket.greets('e1', 60_000);
    expect(clock.now() - Date.now()).toBe(60_000);
    const sent_ms = Date.now();
    await vi.advanceTimersByTimeAsync(200);
    const id = server.socket.of('ping')[0]?.id;
    server.socket.says({ type: 'pong', id, server_time_ms: sent_ms + 60_100 + 100 });
    expect(clock.now() - Date.now()).toBe(60_100);
  });

  it('polls after three failures, keeps trying, and stops polling once greeted', async () => {
    server.refuses = true;
    feed.start();
    await vi.advanceTimersByTimeAsync(500 + 1000 + 10);
    expect(feed.status).toBe('polling');
    expect(server.fetches).toBe(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.fetches).toBe(3);
    server.answers = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(feed.status).toBe('reconnecting');
    server.answers = true;
    server.refuses = false;
    while (server.sockets.length === 0) await vi.advanceTimersByTimeAsync(100);
    server.socket.greets();
    const fetches = server.fetches;
    await vi.advanceTimersByTimeAsync(9000);
    expect(feed.status).toBe('live');
    expect(server.fetches).toBe(fetches);
  });

  it('keeps asking for the list when the first request fails', async () => {
    server.answers = false;
    feed.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.status).toBe('reconnecting');
    server.answers = true;
    await vi.advanceTimersByTimeAsync(500);
    server.socket.greets();
    expect(feed.status).toBe('live');
  });

  it('tells which session it hears, again after a reconnection, until it no longer listens', async () => {
    await goLive();
    feed.listen('s1', 'harbor');
    expect(server.socket.of('listen')).toMatchObject([{ session: 's1', station: 'harbor' }]);
    server.socket.says({ type: 'listening', session: 's1', station: 'harbor', stream_time_ms: 123 });
    server.socket.says({ type: 'listening', session: 'other', station: 'harbor', stream_time_ms: 456 });
    expect(heard).toEqual([['s1', 123]]);
    server.socket.breaks(1006);
    await vi.advanceTimersByTimeAsync(500);
    server.socket.greets();
    expect(server.socket.of('listen')).toHaveLength(1);
    feed.unlisten('s1');
    server.socket.breaks(1006);
    await vi.advanceTimersByTimeAsync(1000);
    server.socket.greets();
    expect(server.socket.of('listen')).toHaveLength(0);
  });

  it('asks again for a session that the server does not know yet, a bounded number of times', async () => {
    await goLive();
    feed.listen('s1', 'harbor');
    for (let n = 0; n < 30; n += 1) {
      const id = server.socket.of('listen').at(-1)?.id;
      server.socket.says({ type: 'error', id, code: 'unknown_session', message: 'not yet' });
      await vi.advanceTimersByTimeAsync(2000);
    }
    expect(server.socket.of('listen')).toHaveLength(15);
  });

  it('ignores frames that it cannot read', async () => {
    await goLive();
    for (const data of ['', '{', '[]', 'null', '{"type":"tomorrow"}', '{"type":"update"}', '{"type":"__proto__"}']) {
      server.socket.onmessage?.({ data });
    }
    server.socket.onmessage?.({ data: new ArrayBuffer(4) });
    expect(feed.status).toBe('live');
    expect(title()).toBe('Salt on the Window');
  });

  it('comes back at once when nudged', async () => {
    await goLive();
    for (let n = 0; n < 5; n += 1) {
      server.socket.breaks(1006);
      feed.nudge();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(server.sockets).toHaveLength(6);
  });

  it('is silent once closed', async () => {
    await goLive();
    const { socket } = server;
    feed.close();
    expect(socket.closed).toBe(true);
    socket.breaks(1000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.sockets).toHaveLength(1);
  });
});
