import { defineConfig } from 'vitest/config';
// @ts-expect-error A build script without declarations.
import { guestVitePlugin } from './build/guest-plugin.mjs';

export default defineConfig({
  plugins: [guestVitePlugin()],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/lab/**', 'test/browser/**'],
    testTimeout: 30_000,
  },
});
