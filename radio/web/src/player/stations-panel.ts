import { type TemplateResult, html } from 'lit';
import type { StationState } from '../protocol';
import { webAddress } from '../words';
import { closeIcon } from './icons';
import { availability, nowLine, picture } from './parts';

export interface StationsPanel {
  readonly states: readonly StationState[];
  readonly tuned: string | null;
  readonly open: boolean;
  readonly now_ms: number;
  readonly server: URL;
  readonly choose: (station: string) => void;
  readonly close: () => void;
}

/** The list from which a listener picks a station. Arrow keys move, Enter and Space choose, Escape closes. */
export function stationsPanel(panel: StationsPanel): TemplateResult {
  return html`<section
    id="stations"
    class="panel"
    data-testid="stations-panel"
    role="dialog"
    aria-labelledby="stations-title"
    ?hidden=${!panel.open}
    @keydown=${(event: KeyboardEvent) => moveFocus(event)}
  >
    <header>
      <h2 id="stations-title" class="serif">Available On Air Stations</h2>
      <button type="button" class="square" aria-label="Close the station list" @click=${panel.close}>${closeIcon}</button>
    </header>
    <ul>
      ${panel.states.map((state) => html`<li>${choice(state, panel)}</li>`)}
    </ul>
  </section>`;
}

function choice(state: StationState, panel: StationsPanel): TemplateResult {
  const { station } = state;
  return html`<button
    type="button"
    class="choice"
    data-station=${station.id}
    aria-current=${station.id === panel.tuned ? 'true' : 'false'}
    @click=${() => panel.choose(station.id)}
  >
    ${picture(webAddress(station.logo, panel.server), station.name)}
    <span class="lines">
      <span class="name serif one-line" dir="auto">${station.name}</span>
      <span class="status one-line">${availability(state, panel.now_ms)}</span>
      <span class="playing one-line">${nowLine(state)}</span>
    </span>
  </button>`;
}

const STEPS: Record<string, (index: number, count: number) => number> = {
  ArrowDown: (index, count) => (index + 1) % count,
  ArrowRight: (index, count) => (index + 1) % count,
  ArrowUp: (index, count) => (index - 1 + count) % count,
  ArrowLeft: (index, count) => (index - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

function moveFocus(event: KeyboardEvent): void {
  const step = STEPS[event.key];
  const choices = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>('.choice')];
  if (!step || choices.length === 0) return;
  event.preventDefault();
  const index = choices.indexOf(event.target as HTMLElement);
  choices[step(index, choices.length)]?.focus();
}
