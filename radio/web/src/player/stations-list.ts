import { type TemplateResult, html, nothing } from 'lit';
import type { StationState } from '../protocol';
import { nextUp, programmeWords, webAddress } from '../words';
import { playIcon } from './icons';
import type { Network } from './network';
import { availability, nowLine, picture, time } from './parts';
import styles from './radio-stations.css?inline';

export { styles };

/** What `<radio-stations>` shows: each station with a button that plays it in the page's player. */
export function stationsList(network: Network, states: readonly StationState[]): TemplateResult {
  return html`<ul>
    ${states.map((state) => entry(network, state))}
  </ul>`;
}

function entry(network: Network, state: StationState): TemplateResult {
  const { station, programme } = state;
  const moment_ms = network.moment(station.id);
  const next = nextUp(state, moment_ms);
  return html`<li data-station=${station.id} ?data-tuned=${network.lead?.tuned === station.id}>
    ${picture(webAddress(station.logo, network.server), station.name)}
    <div class="lines">
      <h3 class="serif" dir="auto">${station.name}</h3>
      <p class="tagline" dir="auto">${station.tagline}</p>
      <p class="status">${availability(state, network.clock.now())}</p>
      <p class="playing two-lines">${nowLine(state)}</p>
      ${programme ? html`<p class="programme one-line" dir="auto">${programmeWords(programme)}</p>` : nothing}
      ${next
        ? html`<p class="programme two-lines">
            Next Up ${time(next.starts_at_ms, station.timezone, next.predicted)}: <bdi>${next.title}</bdi>
          </p>`
        : nothing}
    </div>
    <button type="button" @click=${() => network.lead?.tune(station.id, true)}>
      ${playIcon}<span class="apart">Listen to ${station.name}</span>
    </button>
  </li>`;
}
