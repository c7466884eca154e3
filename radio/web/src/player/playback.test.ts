import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AudioLike, PROBLEMS, Playback } from './playback';

/** An audio element with a hand on its clock. */
class FakeAudio implements AudioLike {
  currentTime = 0;
  volume = 1;
  muted = false;
  ended = false;
  opened: string[] = [];
  refusal: Error | null = null;
  bufferedStart_s = 0;
  bufferedEnd_s = 0;
  types = ['audio/mpeg'];
  readonly #listeners = new Map<string, (() => void)[]>();
  #src = '';

  get src(): string {
    return this.#src;
  }

  set src(address: string) {
    this.#src = address;
    this.currentTime = 0;
    this.opened.push(address);
  }

  get buffered() {
    return { length: this.bufferedEnd_s ? 1 : 0, start: () => this.bufferedStart_s, end: () => this.bufferedEnd_s };
  }

  async play(): Promise<void> {
    if (this.refusal) throw this.refusal;
  }

  pause(): void {
    this.emits('pause');
  }

  load(): void {
    this.currentTime = 0;
  }

  removeAttribute(): void {
    this.#src = '';
  }

  canPlayType(type: string): string {
    return this.types.includes(type) ? 'probably' : '';
  }

  addEventListener(type: string, listener: () => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  /** The server closed the stream: browsers pause, then say so. */
  ends(): void {
    this.ended = true;
    this.emits('pause');
    this.emits('ended');
    this.ended = false;
  }

  emits(type: string): void {
    this.#listeners.get(type)?.forEach((listener) => listener());
  }

  get session(): string {
    return new URL(this.opened.at(-1) ?? '').searchParams.get('session') ?? '';
  }
}

const STREAMS = [
  { mount: 'live.mp3', url: '/listen/harbor/live.mp3', format: 'mp3', bitrate_kbps: 128 },
  { mount: 'live.aac', url: '/listen/harbor/live.aac', format: 'aac', bitrate_kbps: 64 },
];

describe('Playback', () => {
  let audio: FakeAudio;
  let playback: Playback;
  let sessions: (string | null)[];

  beforeEach(() => {
    vi.useFakeTimers();
    audio = new FakeAudio();
    sessions = [];
    playback = new Playback({
      audio,
      server: new URL('https://radio.example/'),
      streams: () => STREAMS,
      changed: () => undefined,
      session: (session) => sessions.push(session),
      random: () => 1,
    });
  });

  afterEach(() => {
    playback.stop();
    vi.useRealTimers();
  });

  function sounds(): void {
    playback.play();
    audio.emits('playing');
  }

  /** Lets time pass, with the sound moving along or not. */
  async function passes(seconds: number, moving: boolean): Promise<void> {
    for (let n = 0; n < seconds; n += 1) {
      if (moving) audio.currentTime += 1;
      await vi.advanceTimersByTimeAsync(1000);
    }
  }

  it('opens the stream with a session, and drops it when stopped', () => {
    sounds();
    expect(audio.src).toMatch(/^https:\/\/radio\.example\/listen\/harbor\/live\.mp3\?session=/);
    expect(playback.status).toBe('playing');
    playback.stop();
    expect(audio.src).toBe('');
    expect(playback.status).toBe('stopped');
    expect(sessions).toEqual([audio.session, null]);
    sounds();
    expect(new Set(audio.opened).size).toBe(2);
  });

  it('hears the stream time of the first sample plus what was played', () => {
    sounds();
    expect(playback.heard_ms).toBeNull();
    playback.listening(audio.session, 1_000_000);
    audio.currentTime = 12.5;
    expect(playback.heard_ms).toBe(1_012_500);
    playback.listening('someone-else', 5);
    expect(playback.heard_ms).toBe(1_012_500);
    playback.stop();
    expect(playback.heard_ms).toBeNull();
  });

  it('counts from where the sound began, which in Ogg is not 0', () => {
    playback.play();
    playback.listening(audio.session, 1_000_000);
    audio.bufferedStart_s = 62.5;
    audio.bufferedEnd_s = 65;
    audio.currentTime = 62.5;
    audio.emits('playing');
    expect(playback.heard_ms).toBe(1_000_000);
    audio.currentTime = 64;
    audio.bufferedStart_s = 63.5;
    audio.emits('waiting');
    audio.emits('playing');
    expect(playback.heard_ms).toBe(1_001_500);
  });

  it('counts from the end of the buffer when the browser itself reconnected', () => {
    sounds();
    audio.bufferedEnd_s = 3;
    playback.listening(audio.session, 1_000_000);
    audio.currentTime = 10;
    audio.bufferedEnd_s = 12;
    playback.listening(audio.session, 1_000_000);
    expect(playback.heard_ms).toBe(1_010_000);
    playback.listening(audio.session, 2_000_000);
    audio.currentTime = 12;
    expect(playback.heard_ms).toBe(2_000_000);
  });

  it('opens a stalled stream again after 6 s, under a new session', async () => {
    sounds();
    await passes(20, true);
    await passes(5, false);
    expect(playback.status).toBe('playing');
    await passes(1, false);
    expect(playback.status).toBe('retrying');
    expect(playback.problem).toBe(PROBLEMS.retrying);
    expect(playback.heard_ms).toBeNull();
    await passes(1, false);
    expect(playback.status).toBe('connecting');
    expect(new Set(audio.opened).size).toBe(2);
    audio.emits('playing');
    expect(playback.problem).toBeNull();
  });

  it('leaves a slow start 12 s', async () => {
    playback.play();
    await passes(11, false);
    expect(playback.status).toBe('connecting');
    await passes(1, false);
    expect(playback.status).toBe('retrying');
  });

  it('waits 1, 2, 4, 8, 15, 15 s before it opens again', async () => {
    playback.play();
    const waits: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      const opened = audio.opened.length;
      audio.emits('error');
      let waited_s = 0;
      for (; audio.opened.length === opened; waited_s += 1) await vi.advanceTimersByTimeAsync(1000);
      waits.push(waited_s);
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15]);
  });

  it('opens again when the server ends the stream, and starts the waits afresh after 10 s of sound', async () => {
    sounds();
    audio.ends();
    await passes(1, false);
    audio.emits('playing');
    await passes(12, true);
    audio.ends();
    await passes(1, false);
    expect(audio.opened).toHaveLength(3);
  });

  it('tries the next stream after three failures', async () => {
    audio.types = ['audio/mpeg', 'audio/aac'];
    playback.play();
    for (let n = 0; n < 3; n += 1) {
      audio.emits('error');
      await vi.advanceTimersByTimeAsync(15_000);
    }
    const mounts = audio.opened.map((address) => new URL(address).pathname.split('/').at(-1));
    expect(mounts.slice(0, 3)).toEqual(['live.mp3', 'live.mp3', 'live.mp3']);
    expect(mounts.at(3)).toBe('live.aac');
  });

  it('says so when the browser holds the sound back', async () => {
    audio.refusal = Object.assign(new Error(), { name: 'NotAllowedError' });
    playback.play();
    await vi.advanceTimersByTimeAsync(0);
    expect(playback.status).toBe('stopped');
    expect(playback.problem).toBe(PROBLEMS.blocked);
  });

  it('says so when no stream can be played', () => {
    audio.types = [];
    playback.play();
    expect(playback.status).toBe('stopped');
    expect(playback.problem).toBe(PROBLEMS.unplayable);
  });

  it('takes a pause from outside for a stop', () => {
    sounds();
    audio.emits('pause');
    expect(playback.status).toBe('stopped');
    expect(audio.src).toBe('');
  });

  it('retries at once when nudged', () => {
    sounds();
    audio.emits('error');
    playback.nudge();
    expect(playback.status).toBe('connecting');
    expect(audio.opened).toHaveLength(2);
  });
});
