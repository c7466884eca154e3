/** What the page does when the server has been upgraded, and what it would load late is there no more. */
export interface Page {
  /** Names that a reload was tried for in this tab. */
  readonly memory: Pick<Storage, 'getItem' | 'setItem'>;
  readonly isPlaying: () => boolean;
  readonly reload: () => void;
}

const RENEWED = 'radio-renewed';
const LATE = /\/assets\/[^/]+\.js$/;

/**
 * Loads the page anew when a script of ours is gone (404), once for each name, and never while something plays: then
 * the page goes on without it.
 */
export function renew(name: string, status: number | undefined, page: Page): void {
  const path = new URL(name).pathname;
  if (status !== 404 || !LATE.test(path) || page.isPlaying()) return;
  try {
    if (page.memory.getItem(RENEWED) === path) return;
    page.memory.setItem(RENEWED, path);
  } catch {
    return; // Without a memory the page might load itself for ever.
  }
  page.reload();
}

/** Watches what this page asks its own server for. */
export function watchForRenewal(): void {
  const isPlaying = (): boolean =>
    [...document.querySelectorAll('radio-player')].some(
      (player) => player.shadowRoot?.querySelector('[data-status]:not([data-status="stopped"])') !== null,
    );
  const watch = new PerformanceObserver((seen) => {
    for (const { name, responseStatus } of seen.getEntries() as PerformanceResourceTiming[]) {
      if (!name.startsWith(`${location.origin}/`)) continue;
      renew(name, responseStatus, { memory: sessionStorage, isPlaying, reload: () => location.reload() });
    }
  });
  watch.observe({ type: 'resource', buffered: true });
}
