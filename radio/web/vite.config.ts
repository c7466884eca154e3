import { type Plugin, defineConfig } from 'vite';

const pages = { input: ['index.html', 'home.html', 'embed.html'] };

// A site that embeds the player loads one address, so the player is a build of its own: two entries in
// one build would share a chunk. It runs last and leaves the pages in place.
const player = {
  input: 'src/player/player.ts',
  output: { entryFileNames: 'player.js', chunkFileNames: 'assets/player-[name]-[hash].js' },
};

/** What is loaded late brings no styles and no chunks of its own, so Vite's kilobyte for fetching those goes. */
const plainImports: Plugin = {
  name: 'plain-imports',
  enforce: 'pre',
  load: (id) => (id.endsWith('vite/preload-helper.js') ? 'export const __vitePreload = (load) => load();' : null),
};

/** In our templates a line break says no more than a space, and minifiers leave templates as they are. */
const terseTemplates: Plugin = {
  name: 'terse-templates',
  enforce: 'post',
  transform(code, id) {
    if (id.includes('node_modules') || !id.endsWith('.ts')) return null;
    const texts = templateTexts(this.parse(code)).sort((a, b) => b.start - a.start);
    const short = texts.reduce(
      (all, { start, end }) => all.slice(0, start) + all.slice(start, end).replace(/\s*\n\s*/g, ' ') + all.slice(end),
      code,
    );
    return { code: short, map: null };
  },
};

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the texts of `html` and `svg` templates stand, in an ESTree. */
function templateTexts(node: unknown): Span[] {
  if (typeof node !== 'object' || node === null) return [];
  const { type, tag, quasi } = node as { type?: string; tag?: { name?: string }; quasi?: { quasis: Span[] } };
  const isOurs = type === 'TaggedTemplateExpression' && /^(html|svg)$/.test(tag?.name ?? '');
  return [...(isOurs ? (quasi?.quasis ?? []) : []), ...Object.values(node).flatMap(templateTexts)];
}

export default defineConfig(({ mode }) => ({
  base: '/',
  publicDir: false,
  plugins: mode === 'player' ? [plainImports, terseTemplates] : [],
  build: {
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    emptyOutDir: mode !== 'player',
    rolldownOptions: mode === 'player' ? player : pages,
  },
}));
