import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/fixed-seed.ts'],
    globalSetup: ['test/kernel/announce.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
