import { defineConfig } from 'vite';

const pages = { input: ['index.html', 'home.html', 'embed.html'] };

// A site that embeds the player loads one address, so the player is a build of its own: two entries in
// one build would share a chunk. It runs last and leaves the pages in place.
const player = {
  input: 'src/player/player.ts',
  output: { entryFileNames: 'player.js', chunkFileNames: 'assets/player-[name]-[hash].js' },
};

export default defineConfig(({ mode }) => ({
  base: '/',
  publicDir: false,
  build: {
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    emptyOutDir: mode !== 'player',
    rolldownOptions: mode === 'player' ? player : pages,
  },
}));
