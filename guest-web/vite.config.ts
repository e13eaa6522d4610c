import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { describe } from "./scripts/segmenter.mjs";

/** What a browser gains nothing from unpacking: fonts are compressed already. */
const COMPRESSIBLE = /\.(?:js|mjs|css|svg|wasm)$/;

/** A file of this size takes the best compression most of a minute, and gains a seventh. */
const LARGE = 4_000_000;

/** Puts files of a package beside the page's own, so that nobody else is asked for them. They are looked for by name,
 * so their folder carries the hash; the page's code knows it as `constant`. */
function beside(name: string, constant: string, files: () => Record<string, string | Buffer>): Plugin {
  const contents = files();
  const hash = createHash("sha256");
  for (const content of Object.values(contents)) hash.update(content);
  const folder = `assets/${name}-${hash.digest("hex").slice(0, 8)}`;
  return {
    name,
    config: () => ({ define: { [constant]: JSON.stringify(`/${folder}`) } }),
    generateBundle() {
      for (const [file, source] of Object.entries(contents))
        this.emitFile({ type: "asset", fileName: `${folder}/${file}`, source });
    },
  };
}

const read = (file: string) => readFileSync(new URL(`node_modules/${file}`, import.meta.url));

/** What blurs the background: runtime and network. */
const blur = () => ({
  "vision_wasm_internal.js": read("@mediapipe/tasks-vision/wasm/vision_wasm_internal.js"),
  "vision_wasm_internal.wasm": read("@mediapipe/tasks-vision/wasm/vision_wasm_internal.wasm"),
  "selfie.tflite": describe(read("@mediapipe/selfie_segmentation/selfie_segmentation.tflite")),
});

/** What a PDF may need to be drawn: character maps, fonts that every viewer has to have, decoders of pictures. */
function pdf() {
  const folders = { cmaps: ".bcmap", standard_fonts: "", wasm: ".wasm" };
  const files = Object.entries(folders).flatMap(([folder, ending]) =>
    readdirSync(new URL(`node_modules/pdfjs-dist/${folder}`, import.meta.url))
      // It also runs the scripts that a document brings, which is not wanted.
      .filter((file) => file.endsWith(ending) && !file.startsWith("quickjs"))
      .map((file) => `${folder}/${file}`),
  );
  return Object.fromEntries(files.sort().map((file) => [file, read(`pdfjs-dist/${file}`)]));
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
  plugins: [beside("blur", "BLUR_FILES", blur), beside("pdf", "PDF_FILES", pdf), precompress()],
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
