import { defineConfig } from 'vitest/config';
// @ts-expect-error A build script without declarations.
import { guestVitePlugin } from './build/guest-plugin.mjs';

export default defineConfig({
  plugins: [guestVitePlugin()],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/lab/**', 'test/browser/**'],
    // Only for what hangs: on a machine that is busy with much else the slowest take a minute.
    testTimeout: 120_000,
  },
});
