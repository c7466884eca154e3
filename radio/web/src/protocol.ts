import { isObject } from './merge';

/** The shapes of push protocol 1 and of a station's state. Fields ending in `_ms` are integer milliseconds. */

export type AvailabilityStatus = 'starting' | 'on_air' | 'degraded' | 'silent' | 'off_air';

export interface StreamInfo {
  readonly mount: string;
  readonly url: string;
  readonly format: string;
  readonly bitrate_kbps: number | null;
}

export interface StationInfo {
  readonly id: string;
  readonly name: string;
  readonly tagline: string | null;
  readonly timezone: string;
  readonly logo: string | null;
  readonly streams: readonly StreamInfo[];
}

export interface Availability {
  readonly status: AvailabilityStatus;
  readonly since_ms: number | null;
  readonly reason: string | null;
}

export interface Programme {
  readonly id: string;
  readonly title: string;
  readonly host: string | null;
  readonly description: string | null;
  readonly image: string | null;
  readonly starts_at_ms: number;
  readonly ends_at_ms: number;
}

export interface Item {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly artist: string | null;
  readonly album: string | null;
  readonly artwork: string | null;
  readonly starts_at_ms: number;
  readonly ends_at_ms: number | null;
  readonly duration_ms: number | null;
}

export interface NextItem {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly artist: string | null;
  readonly starts_at_ms: number;
  readonly basis: 'scheduled' | 'predicted';
}

export interface SupportedBy {
  readonly sponsor: string;
  readonly message: string | null;
  readonly link: string | null;
  readonly image: string | null;
  readonly starts_at_ms: number;
  readonly ends_at_ms: number;
}

export interface StationState {
  readonly station: StationInfo;
  readonly availability: Availability;
  readonly source: 'schedule' | 'live' | 'followed' | 'fallback';
  readonly programme: Programme | null;
  readonly now: Item | null;
  readonly next: readonly NextItem[];
  readonly next_programme: Programme | null;
  readonly supported_by: SupportedBy | null;
  readonly listeners: { readonly current: number };
}

/** A place in a station's sequence of updates, good for resuming within one epoch. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

export interface Welcome {
  readonly type: 'welcome';
  readonly protocol: number;
  readonly epoch: string;
  readonly server_time_ms: number;
  readonly heartbeat_s: number;
}

export interface Snapshot extends Position {
  readonly type: 'snapshot';
  readonly id?: number;
  readonly station: string;
  readonly state: StationState;
}

export interface Update {
  readonly type: 'update';
  readonly station: string;
  readonly seq: number;
  readonly at_ms: number;
  readonly changed: readonly string[];
  readonly patch: unknown;
}

export interface Listening {
  readonly type: 'listening';
  readonly id?: number;
  readonly session: string;
  readonly station: string;
  readonly stream_time_ms: number;
}

export interface Pong {
  readonly type: 'pong';
  readonly id: number;
  readonly server_time_ms: number;
}

export interface ServerError {
  readonly type: 'error';
  readonly id?: number;
  readonly code: string;
  readonly message: string;
}

export type ServerMessage = Welcome | Snapshot | Update | Listening | Pong | ServerError;

export type ClientMessage =
  | { type: 'subscribe'; id: number; stations: string[]; since?: Record<string, Position> }
  | { type: 'unsubscribe'; id: number; stations: string[] }
  | { type: 'listen'; id: number; station: string; session: string }
  | { type: 'ping'; id: number };

/** Members without which a message is none, each with a value of its type. */
const REQUIRED: Record<ServerMessage['type'], Record<string, string | number | object>> = {
  welcome: { epoch: '', server_time_ms: 0, heartbeat_s: 0 },
  snapshot: { station: '', epoch: '', seq: 0, state: {} },
  update: { station: '', seq: 0, at_ms: 0, patch: {} },
  listening: { session: '', station: '', stream_time_ms: 0 },
  pong: { id: 0, server_time_ms: 0 },
  error: { code: '' },
};

/** The message in a text frame; null for what this client does not know, which it must ignore. */
export function parseMessage(text: unknown): ServerMessage | null {
  if (typeof text !== 'string') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value.type !== 'string' || !Object.hasOwn(REQUIRED, value.type)) return null;
  const fields = Object.entries(REQUIRED[value.type as ServerMessage['type']]);
  const complete = fields.every(([name, like]) => typeof value[name] === typeof like && value[name] !== null);
  return complete ? (value as unknown as ServerMessage) : null;
}

/** Whether a close code asks the client to stay away (4500-4999). */
export function isFinalClose(code: number): boolean {
  return code >= 4500 && code <= 4999;
}
