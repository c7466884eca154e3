import { RadioPlayer } from './radio-player';
import { RadioSponsor } from './radio-sponsor';
import { RadioStations } from './radio-stations';

/** The one file that a site loads. Loading it twice does no harm. */
const ELEMENTS: Record<string, CustomElementConstructor> = {
  'radio-player': RadioPlayer,
  'radio-sponsor': RadioSponsor,
  'radio-stations': RadioStations,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}
