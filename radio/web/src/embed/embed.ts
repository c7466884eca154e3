import './embed.css';
import type { TuneDetail } from '../player/radio-player';
import { watchForRenewal } from '../site/renewal';

// The address is /embed/<station>: the player shows that station and offers no other.
const station = decodeURIComponent(location.pathname.split('/').filter(Boolean).at(-1) ?? '');
const player = document.querySelector('radio-player');

watchForRenewal();
player?.setAttribute('station', station);
player?.setAttribute('stations', station);
player?.addEventListener('radio-tune', (event) => {
  const { name } = (event as CustomEvent<TuneDetail>).detail;
  document.title = `${name ?? station}, live`;
});
