import { Alarm } from './alarm';
import { type Link, type LinkOwner, WELCOME_LIMIT_MS } from './link';

/** A link whose code comes only when it is opened, as most pages never need it. */
export class LateLink implements Link {
  readonly #owner: LinkOwner;
  readonly #load: () => Promise<Link>;
  readonly #patience = new Alarm();
  #link: Link | null = null;
  #isOver = false;

  constructor(owner: LinkOwner, load: () => Promise<Link>) {
    this.#owner = owner;
    this.#load = load;
  }

  open(): void {
    this.#patience.set(WELCOME_LIMIT_MS, () => this.#lose());
    this.#load().then(
      (link) => this.#begin(link),
      () => this.#lose(),
    );
  }

  // What is asked before the code is there, the link reads from what is wanted once it opens.
  resync(station: string): void {
    this.#link?.resync(station);
  }

  listen(session: string): void {
    this.#link?.listen(session);
  }

  unlisten(session: string): void {
    this.#link?.unlisten(session);
  }

  ping(): void {
    this.#link?.ping();
  }

  close(): void {
    this.#isOver = true;
    this.#patience.clear();
    this.#link?.close();
  }

  #begin(link: Link): void {
    if (this.#isOver) return;
    this.#patience.clear();
    this.#link = link;
    link.open();
  }

  #lose(): void {
    if (this.#isOver) return;
    this.close();
    this.#owner.lost(1006);
  }
}
