import { type TemplateResult, html, nothing, unsafeCSS } from 'lit';
import type { StationState } from '../protocol';
import { nextUp, programmeWords, webAddress } from '../words';
import { playIcon } from './icons';
import { availability, nowLine, picture, time } from './parts';
import { RadioElement, sharedStyles } from './radio-element';
import styles from './radio-stations.css?inline';

/** All stations of a server and what each plays, each with a button that plays it in the page's player. */
export class RadioStations extends RadioElement {
  static override styles = [...sharedStyles, unsafeCSS(styles)];

  protected override render(): TemplateResult {
    const { store } = this.network;
    const states = store.ids.map((id) => this.network.state(id)).filter((state) => state !== undefined);
    if (states.length === 0) return html`<p class="soft">Asking which stations are on the air.</p>`;
    return html`<ul>
      ${states.map((state) => this.#station(state))}
    </ul>`;
  }

  #station(state: StationState): TemplateResult {
    const { station, programme } = state;
    const moment_ms = this.network.moment(station.id);
    const next = nextUp(state, moment_ms);
    return html`<li data-station=${station.id} ?data-tuned=${this.network.lead?.tuned === station.id}>
      ${picture(webAddress(station.logo, this.network.server), station.name)}
      <div class="lines">
        <h3 class="serif" dir="auto">${station.name}</h3>
        <p class="tagline" dir="auto">${station.tagline}</p>
        <p class="status">${availability(state, this.network.clock.now())}</p>
        <p class="playing two-lines">${nowLine(state)}</p>
        ${programme ? html`<p class="programme one-line" dir="auto">${programmeWords(programme)}</p>` : nothing}
        ${next
          ? html`<p class="programme two-lines">
              Next Up ${time(next.starts_at_ms, station.timezone, next.predicted)}: <bdi>${next.title}</bdi>
            </p>`
          : nothing}
      </div>
      <button type="button" @click=${() => this.network.lead?.tune(station.id, true)}>
        ${playIcon}<span class="apart">Listen to ${station.name}</span>
      </button>
    </li>`;
  }
}
