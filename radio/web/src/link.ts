import type { Position, ServerMessage } from './protocol';

/** What a link is to carry, read anew each time it asks the server. */
export interface Wanted {
  stations(): string[];
  /** Where each station can resume; one without a position gets a snapshot. */
  positions(): Record<string, Position>;
  /** Stations by the session under which each is heard. */
  readonly listens: ReadonlyMap<string, string>;
}

/** Whom a link tells. It is silent once it was closed, and after `lost`. */
export interface LinkOwner {
  /** The other end lives. */
  alive(): void;
  message(message: ServerMessage): void;
  /** The server's time, in answer to what was asked at `sent_ms` of this machine's clock. */
  sample(server_time_ms: number, sent_ms: number): void;
  /** The link has ended, with a close code of RFC 6455 (1006: without a word); the server asks for a pause. */
  lost(code: number, pause_ms?: number): void;
}

/** A pushed connection. It greets with `welcome`; snapshots, missed updates and T0 of sessions follow. */
export interface Link {
  open(): void;
  /** Asks anew for a station whose place in the sequence is lost. */
  resync(station: string): void;
  /** A session was added to what is wanted. */
  listen(session: string): void;
  /** A session is wanted no more. */
  unlisten(session: string): void;
  /** Asks for a sign of life, where that can be asked for. */
  ping(): void;
  close(): void;
}

/** A server that does not greet within this is not there. */
export const WELCOME_LIMIT_MS = 10_000;
/** How much later than its heartbeat a server may be. */
export const PATIENCE_MS = 10_000;
/** Heartbeat of a server that has not told its own yet. */
export const HEARTBEAT_MS = 25_000;
