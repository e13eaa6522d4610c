import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { describe } from "./scripts/segmenter.mjs";

/** What a browser gains nothing from unpacking: fonts are compressed already. */
const COMPRESSIBLE = /\.(?:js|css|svg|wasm)$/;

/** A file of this size takes the best compression most of a minute, and gains a seventh. */
const LARGE = 4_000_000;

/** Puts what blurs the background beside the page's own files, so that nobody else is asked for it. Its runtime
 * looks for files by name, so the folder carries the hash. */
function blur(): Plugin {
  const read = (file: string) => readFileSync(new URL(`node_modules/@mediapipe/${file}`, import.meta.url));
  const files = {
    "vision_wasm_internal.js": read("tasks-vision/wasm/vision_wasm_internal.js"),
    "vision_wasm_internal.wasm": read("tasks-vision/wasm/vision_wasm_internal.wasm"),
    "selfie.tflite": describe(read("selfie_segmentation/selfie_segmentation.tflite")),
  };
  const hash = createHash("sha256");
  for (const content of Object.values(files)) hash.update(content);
  const folder = `assets/blur-${hash.digest("hex").slice(0, 8)}`;
  return {
    name: "blur",
    config: () => ({ define: { BLUR_FILES: JSON.stringify(`/${folder}`) } }),
    generateBundle() {
      for (const [name, source] of Object.entries(files))
        this.emitFile({ type: "asset", fileName: `${folder}/${name}`, source });
    },
  };
}

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
              params: {
                [constants.BROTLI_PARAM_QUALITY]: bytes.length > LARGE ? 9 : 11,
              },
            }),
          });
        }
      },
    },
  };
}

export default defineConfig({
  plugins: [blur(), precompress()],
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
        "src/beside.tsx",
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
  test: { include: ["src/**/*.test.ts", "scripts/*.test.mjs"] },
});
