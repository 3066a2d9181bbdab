import { defineConfig } from 'vite';

// A relative base: the page works from any folder of any static server. Monaco alone is larger than the size that Vite
// warns of.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 6000,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
});
