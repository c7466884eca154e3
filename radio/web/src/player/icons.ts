import { type TemplateResult, svg } from 'lit';

/** Own drawings on a grid of 24; they take the colour of the text around them. */

function icon(shapes: TemplateResult): TemplateResult {
  return svg`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${shapes}</svg>`;
}

export const playIcon = icon(svg`<path d="M5 2.5v19L21.5 12z"/>`);
export const pauseIcon = icon(svg`<path d="M4.5 3h5.5v18H4.5zM14 3h5.5v18H14z"/>`);
export const closeIcon = icon(svg`<path d="M5.6 4.2 12 10.6l6.4-6.4 1.4 1.4-6.4 6.4 6.4 6.4-1.4 1.4-6.4-6.4-6.4 6.4-1.4-1.4 6.4-6.4-6.4-6.4z"/>`);
export const soundIcon = icon(svg`
  <path d="M2 8.5h4.5L12 3.5v17l-5.5-5H2z"/>
  <path d="M14.5 8.1v7.8a4.4 4.4 0 0 0 0-7.8zM14.5 3.2v2.1a7 7 0 0 1 0 13.4v2.1a9 9 0 0 0 0-17.6z"/>`);
export const mutedIcon = icon(svg`
  <path d="M2 8.5h4.5L12 3.5v17l-5.5-5H2z"/>
  <path d="m15.4 8 2.6 2.6L20.6 8 22 9.4 19.4 12l2.6 2.6-1.4 1.4-2.6-2.6-2.6 2.6-1.4-1.4 2.6-2.6L14 9.4z"/>`);
export const stationsIcon = icon(svg`
  <path d="M11 11.7 8.2 22h2.1l.5-2h2.4l.5 2h2.1L13 11.7zM11.3 18l.7-2.6.7 2.6z"/>
  <path d="M12 7a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM7.8 4.6l1.3 1.5a4.5 4.5 0 0 0 0 6.8l-1.3 1.5a6.5 6.5 0 0 1 0-9.8zM16.2 4.6l-1.3 1.5a4.5 4.5 0 0 1 0 6.8l1.3 1.5a6.5 6.5 0 0 0 0-9.8zM4.6 1.4l1.3 1.5a8.7 8.7 0 0 0 0 13.2l-1.3 1.5a10.7 10.7 0 0 1 0-16.2zM19.4 1.4l-1.3 1.5a8.7 8.7 0 0 1 0 13.2l1.3 1.5a10.7 10.7 0 0 0 0-16.2z"/>`);
export const waitIcon = icon(svg`<g class="wait"><path d="M2.5 9.5h4v5h-4z"/><path d="M10 9.5h4v5h-4z"/><path d="M17.5 9.5h4v5h-4z"/></g>`);
