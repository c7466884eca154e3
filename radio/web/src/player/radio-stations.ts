import { type PropertyDeclarations, type TemplateResult, adoptStyles, html, unsafeCSS } from 'lit';
import { RadioElement, sharedStyles } from './radio-element';

/**
 * All stations of a server and what each plays, each with a button that plays it in the page's player.
 * Most pages have the player alone, so the list's code comes with the first of these elements.
 */
export class RadioStations extends RadioElement {
  static override properties: PropertyDeclarations = { ...RadioElement.properties, list: { state: true } };

  declare list: typeof import('./stations-list').stationsList | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    // Without its code the element goes on asking; nothing else depends on it.
    if (!this.list) this.#learn().catch(() => undefined);
  }

  protected override render(): TemplateResult {
    const { store } = this.network;
    const states = store.ids.map((id) => this.network.state(id)).filter((state) => state !== undefined);
    if (states.length && this.list) return this.list(this.network, states);
    return html`<p class="soft">Asking which stations are on the air.</p>`;
  }

  async #learn(): Promise<void> {
    const { stationsList, styles } = await import('./stations-list');
    adoptStyles(this.renderRoot as ShadowRoot, [...sharedStyles, unsafeCSS(styles)]);
    this.list = stationsList;
  }
}
