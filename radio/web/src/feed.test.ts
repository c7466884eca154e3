import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ServerClock } from './clock';
import { Feed } from './feed';
import { StationStore } from './store';
import { Server } from './testing/push';
import { START_MS } from './testing/states';

describe('Feed', () => {
  let server: Server;
  let store: StationStore;
  let clock: ServerClock;
  let feed: Feed;
  let random: number;

  beforeEach(() => {
    vi.useFakeTimers({ now: START_MS });
    server = new Server();
    store = new StationStore();
    clock = new ServerClock();
    random = 1;
    feed = new Feed({
      server: new URL('https://radio.example/'),
      store,
      clock,
      changed: () => undefined,
      listening: () => undefined,
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

  it('waits between 0 and a window that doubles from 0.5 s to 20 s', async () => {
    await goLive();
    server.refuses = true;
    const broke_ms = Date.now();
    server.socket.breaks(1006);
    await vi.advanceTimersByTimeAsync(72_000);
    const tried_ms = [broke_ms, ...server.tried_ms.slice(1)];
    const waits = tried_ms.slice(1).map((at_ms, n) => at_ms - (tried_ms[n] ?? 0));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    server.refuses = false;
    await vi.advanceTimersByTimeAsync(40_000);
    server.socket.greets();
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
    expect(server.tried_ms).toEqual(Array(6).fill(START_MS));
  });
});
