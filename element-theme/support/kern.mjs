/** KERN's tokens as the installed package has them. */

import { readFileSync } from "node:fs";

const ROOT = new URL("../node_modules/@kern-ux/native/", import.meta.url);
const css = readFileSync(new URL("dist/kern.css", ROOT), "utf8");

/** The version of the installed package. */
export const version = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")).version;

/** Every colour of the palette, by its token. */
export const palette = Object.fromEntries(
  [...css.matchAll(/^ {2}(--kern-color-[a-z0-9-]+): (oklch\([^)]*\));/gm)].map(([, name, value]) => [name, value]),
);

/** The tokens of meaning that stand for a colour of the palette, by theme. */
export const meanings = { light: meaningsOf("light"), dark: meaningsOf("dark") };

function meaningsOf(mode) {
  const block = new RegExp(`\\[data-kern-theme=${mode}\\],\\s*\\.kern-${mode} \\{([^}]*--kern-color-layout-text-default:[^}]*)\\}`);
  const match = block.exec(css);
  if (!match) {
    throw new Error(`kern.css has no block of colours for the ${mode} theme`);
  }
  return Object.fromEntries(
    [...match[1].matchAll(/(--kern-color-[a-z0-9-]+): var\((--kern-color-[a-z0-9-]+)\);/g)]
      .map(([, name, value]) => [name, value])
      .filter(([, value]) => value in palette),
  );
}
