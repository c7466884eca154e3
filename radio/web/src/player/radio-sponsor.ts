import { type PropertyDeclarations, type TemplateResult, html, nothing, unsafeCSS } from 'lit';
import type { SupportedBy } from '../protocol';
import { webAddress } from '../words';
import { RadioElement, sharedStyles } from './radio-element';
import styles from './radio-sponsor.css?inline';

/**
 * A Sponsor Message slot: the words of whoever supports what is heard now. Attributes: `server`, `station`
 * (without it, the page's player decides), `layout` (`box` or `line`). What the page puts inside stands in
 * while there is no sponsor; without that, the slot takes no room then.
 */
export class RadioSponsor extends RadioElement {
  static override properties: PropertyDeclarations = {
    ...RadioElement.properties,
    station: {},
    layout: { reflect: true },
  };
  static override styles = [...sharedStyles, unsafeCSS(styles)];

  declare station: string | null;
  declare layout: 'box' | 'line';

  constructor() {
    super();
    this.station = null;
    this.layout = 'box';
  }

  protected override render(): TemplateResult {
    const id = this.station ?? this.network.lead?.tuned ?? this.network.store.ids[0];
    const support = id ? this.network.state(id)?.supported_by : null;
    const empty = !support && !this.firstElementChild;
    return html`<div
      class="slot"
      role="group"
      aria-label="Sponsor Message"
      data-testid="sponsor-slot"
      data-station=${id ?? ''}
      ?hidden=${empty}
    >
      <p class="label">Sponsor Message</p>
      ${support ? this.#message(support) : html`<div class="standing"><slot></slot></div>`}
    </div>`;
  }

  #message(support: SupportedBy): TemplateResult {
    const { server } = this.network;
    const link = webAddress(support.link, server);
    const image = webAddress(support.image, server);
    return html`${image ? html`<img alt="" src=${image} decoding="async" />` : nothing}
      <div class="words">
        <p class="sponsor serif" dir="auto">${support.sponsor}</p>
        ${support.message ? html`<p class="message" dir="auto">${support.message}</p>` : nothing}
        ${link
          ? html`<p class="more">
              <a href=${link} target="_blank" rel="noopener sponsored nofollow"
                >Visit <bdi>${support.sponsor}</bdi><span class="apart"> (opens a new window)</span></a
              >
            </p>`
          : nothing}
      </div>`;
  }
}
