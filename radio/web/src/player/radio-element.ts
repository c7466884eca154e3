import { LitElement, type PropertyDeclarations, unsafeCSS } from 'lit';
import tokens from '../tokens.css?inline';
import base from './base.css?inline';
import { Network } from './network';

/** The address that player.js came from, which is where its server is unless an element says otherwise. */
const SCRIPT = import.meta.url;
const ORIGIN = new URL('.', SCRIPT);

export const sharedStyles = [unsafeCSS(tokens), unsafeCSS(base)];

/** An element that shows what one server knows, and is drawn again whenever that changes. */
export class RadioElement extends LitElement {
  static override properties: PropertyDeclarations = { server: {} };
  static override styles = sharedStyles;

  /** Origin or base address of the server. */
  declare server: string | null;
  network!: Network;

  readonly #redraw = () => this.networkChanged();

  constructor() {
    super();
    this.server = null;
  }

  override connectedCallback(): void {
    this.network = Network.for(serverAddress(this.server));
    this.network.addEventListener('change', this.#redraw);
    this.network.join();
    super.connectedCallback();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.network.removeEventListener('change', this.#redraw);
    this.network.leave();
  }

  /** The network knows something new, or a moment has passed. */
  networkChanged(): void {
    this.requestUpdate();
  }
}

function serverAddress(server: string | null): URL {
  if (!server) return ORIGIN;
  return new URL(server.endsWith('/') ? server : `${server}/`, document.baseURI);
}
