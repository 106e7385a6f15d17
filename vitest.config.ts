import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/package/global-setup.ts"],
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    allowOnly: false,
    reporters: ["default"],
  },
});
