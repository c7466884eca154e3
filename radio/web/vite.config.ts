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

/** Lit asks the page for polyfills, which no browser needs that our target allows, and tells its versions. */
const plainLit: Plugin = {
  name: 'plain-lit',
  transform(code, id) {
    if (!/\/(reactive-element|lit-html|lit-element)\.js$/.test(id)) return null;
    const plain = code
      .replace(/\w+\.\w+(PolyfillSupport|HydrateSupport)\b/g, 'void 0')
      .replace(/void 0\?\.\([^)]*\)/g, '0')
      .replace(/\(\w+\.\w+Versions\?\?=\[\]\)\.push\("[\d.]+"\)/g, '0');
    return { code: plain, map: null };
  },
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

/** What is written for `light-dark()`, which we do not use, and blanks in lists of fonts, which minifiers leave. */
const terseStyles: Plugin = {
  name: 'terse-styles',
  renderChunk: (code) => ({
    code: code
      .replace(/--lightningcss-\w+: ?(initial)?;/g, '')
      .replace(/--radio-(serif|grotesque):[^;]+/g, (fonts) => fonts.replaceAll(', ', ',')),
    map: null,
  }),
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
  plugins: mode === 'player' ? [plainImports, plainLit, terseTemplates, terseStyles] : [],
  build: {
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    emptyOutDir: mode !== 'player',
    rolldownOptions: mode === 'player' ? player : pages,
  },
}));
