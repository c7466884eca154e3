/** Lets only one player sound at a time, over all tabs and frames of an origin. */
export class OneAtATime {
  readonly #channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('nextup-radio');

  constructor(yieldToOther: () => void) {
    if (this.#channel) this.#channel.onmessage = yieldToOther;
  }

  /** Tells every other player to stop; this one does not hear it. */
  claim(): void {
    this.#channel?.postMessage('playing');
  }

  close(): void {
    this.#channel?.close();
  }
}
