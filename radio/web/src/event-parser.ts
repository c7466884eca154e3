/** Far more than a state takes; a stream that goes on without an end of its event is none of ours. */
const EVENT_LIMIT = 1 << 20;

/** Reads `text/event-stream` (WHATWG HTML, "Server-sent events") as it comes, in pieces of any size. */
export class EventParser {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #data: string[] = [];

  /** The data of the events that end in this piece. Throws RangeError for an event of more than a megabyte. */
  take(piece: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    const events = lines.map((line) => this.#line(line)).filter((event) => event !== null);
    const kept = this.#data.reduce((sum, line) => sum + line.length, this.#rest.length);
    if (kept > EVENT_LIMIT) throw new RangeError('an event without an end');
    return events;
  }

  #line(line: string): string | null {
    if (line === '') {
      const event = this.#data.length ? this.#data.join('\n') : null;
      this.#data = [];
      return event;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'data') this.#data.push(value ?? '');
    return null;
  }
}
