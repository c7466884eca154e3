import { Alarm } from '../alarm';
import { halfJitter } from '../backoff';
import type { StreamInfo } from '../protocol';
import { newSession, playable, sessionAddress } from './streams';

/** `waiting`: the sound stands still, for lack of data; `retrying`: it is gone and will be opened again. */
export type PlaybackStatus = 'stopped' | 'connecting' | 'playing' | 'waiting' | 'retrying';

/** The part of HTMLAudioElement that playback uses. */
export interface AudioLike {
  src: string;
  currentTime: number;
  volume: number;
  muted: boolean;
  readonly ended: boolean;
  readonly buffered: Pick<TimeRanges, 'length' | 'start' | 'end'>;
  play(): Promise<void>;
  pause(): void;
  load(): void;
  removeAttribute(name: string): void;
  canPlayType(type: string): string;
  addEventListener(type: string, listener: () => void): void;
}

export interface PlaybackOptions {
  readonly audio: AudioLike;
  readonly server: URL;
  /** The streams to choose from, asked for at each opening. */
  readonly streams: () => readonly StreamInfo[];
  readonly changed: () => void;
  /** A session was opened, or with null closed. */
  readonly session: (session: string | null) => void;
  readonly random?: () => number;
}

export const PROBLEMS = {
  blocked: 'The browser held the sound back. Press play once more.',
  unplayable: 'This browser cannot play the station’s streams. Try another browser.',
  retrying: 'The sound stopped. Opening it again; if this lasts, check your connection.',
} as const;

const STALL_MS = 6000;
const CONNECT_STALL_MS = 12_000;
const STEADY_MS = 10_000;
const RETRY_FIRST_MS = 1000;
const RETRY_LIMIT_MS = 15_000;
const FAILURES_PER_STREAM = 3;
const WATCH_MS = 1000;

/**
 * Plays one station live. Stopping drops the connection, so that playing again joins the programme where it
 * is now. A stream that makes no progress is opened again under a new session.
 */
export class Playback {
  status: PlaybackStatus = 'stopped';
  /** Plain words on what is wrong and what to do; null when nothing is. */
  problem: string | null = null;

  readonly #options: PlaybackOptions;
  readonly #audio: AudioLike;
  readonly #watch = new Alarm();
  readonly #retry = new Alarm();
  #session: string | null = null;
  #t0_ms: number | null = null;
  /** Where on the audio element's clock the sound of T0 stands. */
  #begins_s: number | null = null;
  #position_s = 0;
  #progressAt_ms = 0;
  #openedAt_ms = 0;
  #failures = 0;

  constructor(options: PlaybackOptions) {
    this.#options = options;
    this.#audio = options.audio;
    this.#audio.addEventListener('playing', () => this.#sounds());
    this.#audio.addEventListener('waiting', () => this.#waits());
    this.#audio.addEventListener('error', () => this.#failed());
    this.#audio.addEventListener('ended', () => this.#failed());
    this.#audio.addEventListener('pause', () => this.#paused());
  }

  get isOn(): boolean {
    return this.status !== 'stopped';
  }

  /** Stream time that is heard now; null while nothing is heard or the server has not said where it began. */
  get heard_ms(): number | null {
    const hears = this.status === 'playing' || this.status === 'waiting';
    if (!hears || this.#t0_ms === null) return null;
    return this.#t0_ms + (this.#audio.currentTime - (this.#begins_s ?? 0)) * 1000;
  }

  play(): void {
    this.#failures = 0;
    this.problem = null;
    this.#open();
  }

  stop(problem: string | null = null): void {
    this.#release();
    this.#retry.clear();
    this.problem = problem;
    this.#become('stopped');
  }

  /** Opens the stream now instead of at the next attempt, as when the network has come back. */
  nudge(): void {
    if (this.status === 'retrying') this.#open();
  }

  /** The server says at which stream time a session's sound begins. */
  listening(session: string, stream_time_ms: number): void {
    if (session !== this.#session || stream_time_ms === this.#t0_ms) return;
    const { buffered } = this.#audio;
    // When the browser itself reconnected, the new sound is appended to what it holds.
    if (this.#t0_ms !== null && buffered.length > 0) this.#begins_s = buffered.end(buffered.length - 1);
    this.#t0_ms = stream_time_ms;
  }

  #open(): void {
    this.#release();
    this.#retry.clear();
    const streams = playable(this.#options.streams(), (type) => this.#audio.canPlayType(type));
    const stream = streams[Math.floor(this.#failures / FAILURES_PER_STREAM) % streams.length];
    if (!stream) return this.stop(PROBLEMS.unplayable);
    const session = newSession();
    this.#session = session;
    this.#position_s = 0;
    this.#openedAt_ms = this.#progressAt_ms = performance.now();
    this.#become('connecting');
    this.#options.session(session);
    this.#audio.src = sessionAddress(stream, this.#options.server, session);
    this.#audio.play().catch((error: unknown) => this.#refused(session, error));
    this.#watch.set(WATCH_MS, () => this.#check());
  }

  #release(): void {
    const wasOpen = this.#session !== null;
    this.#session = this.#t0_ms = this.#begins_s = null;
    this.#watch.clear();
    if (!wasOpen) return;
    this.status = 'connecting';
    this.#audio.pause();
    this.#audio.removeAttribute('src');
    this.#audio.load();
    this.#options.session(null);
  }

  #sounds(): void {
    if (!this.#session) return;
    // In Ogg the clock does not begin at 0 for who joins, but at the time that the first page tells.
    const { buffered } = this.#audio;
    if (buffered.length > 0) this.#begins_s ??= buffered.start(0);
    this.problem = null;
    this.#become('playing');
  }

  #waits(): void {
    if (this.status === 'playing') this.#become('waiting');
  }

  /** A pause from outside (a headset, a phone call) stops: live radio has nothing to resume. */
  #paused(): void {
    // At the end of a stream the browser pauses first and says "ended" next.
    if (this.#audio.ended) return;
    if (this.status === 'playing' || this.status === 'waiting') this.stop();
  }

  #refused(session: string, error: unknown): void {
    if (session !== this.#session) return;
    const name = error instanceof Error ? error.name : '';
    if (name === 'NotAllowedError') this.stop(PROBLEMS.blocked);
    else if (name !== 'AbortError') this.#failed();
  }

  #failed(): void {
    if (!this.#session) return;
    this.#release();
    const delay_ms = halfJitter(this.#failures++, RETRY_FIRST_MS, RETRY_LIMIT_MS, this.#options.random ?? Math.random);
    this.problem = PROBLEMS.retrying;
    this.#become('retrying');
    this.#retry.set(delay_ms, () => this.#open());
  }

  #check(): void {
    const now_ms = performance.now();
    if (this.#audio.currentTime !== this.#position_s) {
      this.#position_s = this.#audio.currentTime;
      this.#progressAt_ms = now_ms;
      if (now_ms - this.#openedAt_ms > STEADY_MS) this.#failures = 0;
    }
    const limit_ms = this.status === 'connecting' ? CONNECT_STALL_MS : STALL_MS;
    if (now_ms - this.#progressAt_ms >= limit_ms) return this.#failed();
    this.#watch.set(WATCH_MS, () => this.#check());
  }

  #become(status: PlaybackStatus): void {
    this.status = status;
    this.#options.changed();
  }
}
