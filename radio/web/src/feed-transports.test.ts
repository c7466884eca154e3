import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ServerClock } from './clock';
import { Feed, type Transport } from './feed';
import { StationStore } from './store';
import { type Peer, Server, settle } from './testing/push';
import { START_MS, item, state } from './testing/states';

const S1 = '11111111-1111-4111-8111-111111111111';
const S2 = '22222222-2222-4222-8222-222222222222';

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

function title(): string | undefined {
  return store.at('harbor', clock.now())?.now?.title;
}

describe.each<Transport>(['socket', 'events'])('By %s the feed', (transport) => {
  const peers = (): Peer[] => (transport === 'socket' ? server.sockets : server.streams);
  const peer = (): Peer => (transport === 'socket' ? server.socket : server.stream);

  async function goLive(): Promise<void> {
    server.refuses = transport === 'events';
    server.events = transport === 'events' ? 'stream' : 'refusal';
    feed.start();
    await vi.advanceTimersByTimeAsync(500);
    peer().greets();
    peer().snapshot(41);
    await settle();
  }

  it('is live, with a snapshot of each station first', async () => {
    await goLive();
    expect([feed.status, feed.transport]).toEqual(['live', transport]);
    expect(peer().since).toBeUndefined();
    expect(title()).toBe('Salt on the Window');
    expect(server.fetches).toBe(1);
  });

  it('takes updates in order and holds each back until its moment', async () => {
    await goLive();
    peer().update(42, 'Lamplight');
    peer().update(43, 'Nocturne', Date.now() + 3000);
    await settle();
    expect(title()).toBe('Lamplight');
    await vi.advanceTimersByTimeAsync(3000);
    expect(title()).toBe('Nocturne');
  });

  it('asks for a snapshot, once, where an update is missing', async () => {
    await goLive();
    const asked = () => server.socket.of('subscribe').length;
    peer().update(44, 'Nocturne');
    peer().update(45, 'Undertow');
    await settle();
    expect(title()).toBe('Salt on the Window');
    expect(transport === 'socket' ? asked() : server.streams.length).toBe(2);
    if (transport === 'socket') expect(server.socket.of('subscribe')[1]).toEqual({ type: 'subscribe', id: 3, stations: ['harbor'] });
    else expect(server.stream.since).toBeUndefined();
    peer().snapshot(45, 'Undertow');
    await settle();
    expect(title()).toBe('Undertow');
    expect(feed.status).toBe('live');
  });

  it('resumes where it was after a lost connection', async () => {
    await goLive();
    peer().update(42, 'Lamplight');
    await settle();
    peer().breaks();
    await settle();
    expect([feed.status, feed.transport]).toEqual(['reconnecting', null]);
    expect(title()).toBe('Lamplight');
    await vi.advanceTimersByTimeAsync(1000);
    expect(peers()).toHaveLength(2);
    peer().greets();
    await settle();
    expect(peer().since).toEqual({ harbor: { epoch: 'e1', seq: 42 } });
    peer().update(43, 'Nocturne');
    await settle();
    expect(title()).toBe('Nocturne');
  });

  it('tells which session it hears, again after a reconnection, until it no longer listens', async () => {
    await goLive();
    feed.listen(S1, 'harbor');
    await settle();
    if (transport === 'events') peer().greets();
    expect(peer().heard).toEqual([S1]);
    peer().listening(S1, 123);
    peer().listening(S2, 456);
    await settle();
    expect(heard).toEqual([[S1, 123]]);
    peer().breaks();
    await vi.advanceTimersByTimeAsync(1000);
    peer().greets();
    expect(peer().heard).toEqual([S1]);
    await settle();
    peer().listening(S1, 789);
    await settle();
    expect(heard).toEqual([[S1, 123], [S1, 789]]);
    feed.unlisten(S1);
    peer().breaks();
    await vi.advanceTimersByTimeAsync(2000);
    peer().greets();
    expect(peer().heard).toEqual([]);
  });

  it('measures the clock of the server by half the round trip', async () => {
    server.refuses = transport === 'events';
    server.events = transport === 'events' ? 'stream' : 'refusal';
    feed.start();
    await vi.advanceTimersByTimeAsync(500);
    if (transport === 'socket') {
      peer().greets('e1', 60_000);
      const id = server.socket.of('ping')[0]?.id;
      await vi.advanceTimersByTimeAsync(200);
      peer().says({ type: 'pong', id, server_time_ms: Date.now() - 100 + 60_000 });
    } else {
      await vi.advanceTimersByTimeAsync(200);
      peer().greets('e1', 60_000 - 100);
    }
    await settle();
    expect(clock.now() - Date.now()).toBe(60_000);
  });

  it('gives up on a server that never greets, and on one that falls silent', async () => {
    server.refuses = transport === 'events';
    server.events = transport === 'events' ? 'stream' : 'refusal';
    feed.start();
    await vi.advanceTimersByTimeAsync(500 + 10_000);
    expect(peers()[0]?.closed).toBe(true);
    expect(feed.status).toBe('reconnecting');
    feed.close();
    feed.start();
    await vi.advanceTimersByTimeAsync(500);
    peer().greets();
    await vi.advanceTimersByTimeAsync(34_999);
    expect(feed.status).toBe(transport === 'events' ? 'live' : 'reconnecting'); // its first ping was not answered
    await vi.advanceTimersByTimeAsync(2);
    expect(feed.status).toBe('reconnecting');
  });

  it('is silent once closed', async () => {
    await goLive();
    const last = peer();
    feed.close();
    expect(last.closed).toBe(true);
    last.update(42, 'Lamplight');
    last.breaks();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(peers()).toHaveLength(1);
    expect(title()).toBe('Salt on the Window');
  });
});

describe('The choice of transport', () => {
  async function liveByEvents(): Promise<void> {
    server.refuses = true;
    server.events = 'stream';
    feed.start();
    await vi.advanceTimersByTimeAsync(500);
    server.stream.greets();
    server.stream.snapshot(41);
    await settle();
  }

  it('takes events after the first WebSocket that fails, and asks for all stations', async () => {
    await liveByEvents();
    expect(server.tried_ms).toEqual([START_MS, START_MS + 500]);
    expect(server.stream.url.href).toBe('https://radio.example/api/events?stations=harbor%2Cmeridian');
  });

  it('keeps to events where these have worked', async () => {
    await liveByEvents();
    server.refuses = false;
    server.stream.breaks();
    await vi.advanceTimersByTimeAsync(1000);
    expect([server.streams.length, server.sockets.length]).toEqual([2, 0]);
  });

  it('keeps to the WebSocket through a restart of the server, and tries events when that goes on failing', async () => {
    feed.start();
    await settle();
    server.socket.greets();
    server.refuses = true;
    server.events = 'stream';
    server.socket.breaks();
    await vi.advanceTimersByTimeAsync(500 + 1000 + 2000 + 4000);
    expect([server.tried_ms.length, server.streams.length]).toEqual([5, 0]);
    await vi.advanceTimersByTimeAsync(8000);
    expect(server.streams).toHaveLength(1);
  });

  it('takes events at once where the page forbids the WebSocket and no close is told', async () => {
    server.events = 'stream';
    feed.start();
    await settle();
    server.socket.onerror?.();
    await vi.advanceTimersByTimeAsync(500);
    server.stream.greets();
    await settle();
    expect([feed.status, feed.transport, server.sockets.length]).toEqual(['live', 'events', 1]);
  });

  it.each([
    ['7', 7000],
    ['90', 20_000],
    ['soon', 0],
    ['-3', 0],
  ])('leaves a server alone that asks for %s seconds', async (said, pause_ms) => {
    server.refuses = true;
    server.events = 'busy';
    server.busy_s = said;
    feed.start();
    await settle();
    const [asked_ms] = server.fetched_ms as [number];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.fetched_ms[1]).toBe(asked_ms + pause_ms + 500);
  });

  it('comes back for events no sooner than the server says', async () => {
    await liveByEvents();
    server.events = 'busy';
    server.busy_s = '9';
    server.stream.breaks();
    await vi.advanceTimersByTimeAsync(1000);
    expect(server.tried_ms.length).toBe(3);
    const refused_ms = Date.now();
    while (server.tried_ms.length === 3) await vi.advanceTimersByTimeAsync(100);
    expect(server.tried_ms[3]! - refused_ms).toBe(9000 + 2000);
  });

  it('polls while neither gets through, and stops polling once greeted', async () => {
    server.refuses = true;
    server.events = 'page';
    feed.start();
    await vi.advanceTimersByTimeAsync(500 + 1000 + 10);
    expect([feed.status, feed.transport]).toEqual(['polling', null]);
    server.events = 'stream';
    while (server.streams.length === 0) await vi.advanceTimersByTimeAsync(100);
    server.stream.greets();
    await settle();
    const { fetches } = server;
    await vi.advanceTimersByTimeAsync(25_000);
    expect([feed.status, feed.transport, server.fetches]).toEqual(['live', 'events', fetches]);
  });

  it('goes from events to the WebSocket when that gets through, and misses nothing', async () => {
    await liveByEvents();
    feed.listen(S1, 'harbor');
    await settle();
    const stream = server.stream;
    stream.greets();
    server.refuses = false;
    await vi.advanceTimersByTimeAsync(30_000);
    stream.update(42, 'Lamplight');
    await vi.advanceTimersByTimeAsync(30_000);
    expect([feed.transport, stream.closed, server.sockets.length]).toEqual(['events', false, 1]);
    stream.update(43, 'Nocturne');
    await settle();
    server.socket.greets();
    expect([feed.transport, stream.closed]).toEqual(['socket', true]);
    expect(server.socket.since).toEqual({ harbor: { epoch: 'e1', seq: 43 } });
    expect(server.socket.heard).toEqual([S1]);
    server.socket.update(44, 'Undertow');
    expect(title()).toBe('Undertow');
  });

  it('asks for events anew when it is nudged after a silence, and not before', async () => {
    await liveByEvents();
    await vi.advanceTimersByTimeAsync(24_000);
    feed.nudge();
    await settle();
    expect(server.streams).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2000);
    feed.nudge();
    await settle();
    expect([server.streams.length, feed.status]).toEqual([2, 'live']);
    expect(server.stream.since).toEqual({ harbor: { epoch: 'e1', seq: 41 } });
  });

  it('looks ever more seldom whether a WebSocket gets through', async () => {
    await liveByEvents();
    const from_ms = Date.now();
    while (server.tried_ms.length < 8) {
      await vi.advanceTimersByTimeAsync(20_000);
      server.stream.writes(':\n\n');
    }
    const minutes = server.tried_ms.slice(2).map((at_ms) => Math.round((at_ms - from_ms) / 60_000));
    expect(minutes).toEqual([1, 3, 7, 15, 31, 63]);
    expect(feed.transport).toBe('events');
  });

  it('stays away for good when a WebSocket closes with 4500, whatever else there is', async () => {
    server.events = 'stream';
    feed.start();
    await settle();
    server.socket.breaks(4500);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(feed.status).toBe('stopped');
    expect([server.tried_ms.length, server.fetches]).toEqual([1, 1]);
  });

  it.each([0.1, 1])('fetches soon after the end that a state announces, spread over (%d)', async (chance) => {
    vi.setSystemTime(START_MS + 245_000 - 7000); // the item ends in 7 s
    server.refuses = true;
    random = chance;
    feed.start();
    await vi.advanceTimersByTimeAsync(9000);
    expect(feed.status).toBe('polling');
    expect(server.fetched_ms.slice(2)).toEqual([START_MS + 245_000 + 300 + 1500 * chance]);
  });

  it('fetches every 7.5 to 10 s where nothing is announced', async () => {
    server.refuses = true;
    feed.start();
    await vi.advanceTimersByTimeAsync(1500);
    for (random of [1, 0.2, 0.6]) await vi.advanceTimersByTimeAsync(10_000);
    const waits = server.fetched_ms.slice(2).map((at_ms, n) => at_ms - (server.fetched_ms[n + 1] ?? 0));
    expect(waits.length).toBeGreaterThanOrEqual(3);
    expect(waits.every((wait_ms) => wait_ms >= 7500 && wait_ms <= 10_000)).toBe(true);
  });

  it('shows by the words of a fetched state what is heard at its moment', async () => {
    server.refuses = true;
    feed.start();
    await vi.advanceTimersByTimeAsync(1500);
    server.stateOf = (id) => state(id, { now: item({ title: 'Lamplight', starts_at_ms: START_MS + 5000 }) });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.at('harbor', START_MS + 4999)?.now?.title).toBe('Salt on the Window');
    expect(store.at('harbor', START_MS + 5000)?.now?.title).toBe('Lamplight');
  });

  it('asks for many stations in frames that the server takes', async () => {
    server.stations = Array.from({ length: 200 }, (_, n) => `a-station-with-a-long-name-${n}`);
    feed.start();
    await settle();
    server.socket.greets();
    for (const id of server.stations) {
      server.socket.says({ type: 'snapshot', station: id, epoch: 'an-epoch-of-16', seq: 1_000_000, state: state(id) });
    }
    server.socket.breaks();
    await vi.advanceTimersByTimeAsync(500);
    server.socket.greets();
    const asked = server.socket.of('subscribe');
    expect(asked.flatMap((message) => message.stations)).toEqual(server.stations);
    expect(asked.flatMap((message) => Object.keys(message.since ?? {}))).toEqual(server.stations);
    expect(Math.max(...asked.map((message) => JSON.stringify(message).length))).toBeLessThanOrEqual(4096);
    expect(asked.length).toBeLessThan(16); // of the 20 frames that may come in a burst
  });
});
