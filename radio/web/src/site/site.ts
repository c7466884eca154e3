import './site.css';
import type { TuneDetail } from '../player/radio-player';
import { localZone, longDate } from '../times';
import { watchForRenewal } from './renewal';

/** Puts today's date into the page: the station's day once it is known, until then the reader's own. */
function showToday(zone: string): void {
  const now = Date.now();
  for (const element of document.querySelectorAll('time[data-today]')) {
    element.textContent = longDate(now, zone);
    element.setAttribute('datetime', new Date(now).toISOString());
  }
}

watchForRenewal();
showToday(localZone());
document.addEventListener('radio-tune', (event) => {
  showToday((event as CustomEvent<TuneDetail>).detail.timezone ?? localZone());
});
