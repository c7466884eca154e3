import { type TemplateResult, html, nothing } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import type { StationState } from '../protocol';
import { timeOfDay } from '../times';
import { availabilityWords, isWell, nowDetail, nowTitle, webAddress } from '../words';

/** Pieces that several elements draw. All text goes through bindings, never through markup. */

/**
 * A square picture; the station's initial stands in while there is none or it does not load. Each address has
 * an element of its own: one that changed its address would go on showing what was there before.
 */
export function picture(address: string | null, name: string): TemplateResult {
  return html`<span class="picture serif">
    <span aria-hidden="true">${Array.from(name)[0] ?? ''}</span>
    ${keyed(address, address ? html`<img alt="" src=${address} decoding="async" @error=${conceal} />` : nothing)}
  </span>`;
}

function conceal(event: Event): void {
  (event.target as HTMLImageElement).hidden = true;
}

/** The picture for what is on the air: the item's, else the programme's, else the station's. */
export function nowPicture({ now, programme, station }: StationState, server: URL): string | null {
  return webAddress(now?.artwork || programme?.image || station.logo, server);
}

/** `On air` and the like; in the colour of trouble when something is wrong. */
export function availability(state: StationState, now_ms: number, testId?: string): TemplateResult {
  const words = availabilityWords(state, now_ms);
  return html`<span
    class=${isWell(state.availability) ? 'well' : 'trouble'}
    data-testid=${testId ?? nothing}
    title=${words}
    dir="auto"
    >${words}</span
  >`;
}

/** One line on what a station plays: title and artist. */
export function nowLine(state: StationState): TemplateResult {
  const detail = nowDetail(state);
  return html`<bdi>${nowTitle(state)}</bdi>${detail ? html`, <bdi>${detail}</bdi>` : nothing}`;
}

export function time(ms: number, zone: string, predicted = false): TemplateResult {
  const iso = new Date(ms).toISOString();
  return html`<time class="time" datetime=${iso}>${predicted ? 'about ' : ''}${timeOfDay(ms, zone)}</time>`;
}
