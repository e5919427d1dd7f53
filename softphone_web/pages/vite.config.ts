// One entry a page: every *.html here becomes a page at the address of its name. Output: build/pages at the root.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { mockServer } from "./dev/mock.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const pages = readdirSync(here(".")).filter((name) => name.endsWith(".html"));

export default defineConfig(({ command }) => ({
  root: here("."),
  // Where `npm run dev` finds its server: RIMAY_SERVER=http://127.0.0.1:8080, else a mock in dev/, which is never built.
  plugins: command === "serve" && !process.env["RIMAY_SERVER"] && !process.env["VITEST"] ? [mockServer()] : [],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: {
    fs: { allow: [here("..")] },
    ...(process.env["RIMAY_SERVER"] && {
      proxy: { "/api": { target: process.env["RIMAY_SERVER"], ws: true, changeOrigin: true } },
    }),
  },
  build: {
    outDir: process.env["RIMAY_PAGES_OUT"] ?? here("../../build/pages"),
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // light-dark() stays as written
    assetsInlineLimit: 0, // data: URLs are refused by our content security policy
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    rolldownOptions: { input: pages.map(here) },
  },
  test: { include: ["src/**/*.test.{ts,tsx}"] },
}));
