import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** What a browser gains nothing from unpacking: fonts are compressed already. */
const COMPRESSIBLE = /\.(?:js|css|svg)$/;

/** Writes `.br` and `.gz` beside every text asset, so that the server never compresses the same bytes twice. */
function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const [name, output] of Object.entries(bundle)) {
          if (!COMPRESSIBLE.test(name)) continue;
          const bytes = Buffer.from(output.type === "chunk" ? output.code : output.source);
          this.emitFile({
            type: "asset",
            fileName: `${name}.gz`,
            source: gzipSync(bytes, { level: 9 }),
          });
          this.emitFile({
            type: "asset",
            fileName: `${name}.br`,
            source: brotliCompressSync(bytes, {
              params: { [constants.BROTLI_PARAM_QUALITY]: 11 },
            }),
          });
        }
      },
    },
  };
}

export default defineConfig({
  plugins: [precompress()],
  build: {
    // The gateway reads the manifest to learn the hashed names.
    manifest: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // An inlined font or icon would be fetched with every page's first bytes.
    assetsInlineLimit: 0,
    // livekit-client, which is loaded when a call begins.
    chunkSizeWarningLimit: 600,
    rollupOptions: {
      input: [
        "src/styles/site.scss",
        "src/lobby.ts",
        "src/office.ts",
        "src/visit.tsx",
        "src/book.tsx",
        "src/booking.tsx",
      ],
    },
  },
  css: {
    preprocessorOptions: {
      // KERN's own deprecation warnings are not ours to cure.
      scss: { quietDeps: true },
    },
  },
  test: { include: ["src/**/*.test.ts"] },
});
