/** Compound's tokens as the installed package has them: names, defaults, and which of them a theme can set. */

import { readFileSync } from "node:fs";

const CSS = new URL("../node_modules/@vector-im/compound-design-tokens/assets/web/css/", import.meta.url);

/** Tokens of meaning, common to all themes: the layer that a custom theme overrides. */
const semantic = (mode) => ({
  ...declarations("cpd-common-semantic.css"),
  ...declarations(`cpd-theme-${mode}-semantic.css`),
});

/** The names a custom theme can set. */
export const settable = new Set(Object.keys(semantic("light")));

/**
 * The colour a token has in Element with the given overrides, as written in the end: `#rrggbb` or not.
 *
 * @param {"light" | "dark"} mode
 * @param {Record<string, string>} overrides
 * @returns {(token: string) => string}
 */
export function resolver(mode, overrides) {
  const values = { ...declarations(`cpd-theme-${mode}-base.css`), ...semantic(mode), ...overrides };
  return function resolve(token) {
    const value = values[token];
    if (value === undefined) {
      throw new Error(`Compound has no token ${token}`);
    }
    const reference = /^var\((--cpd-[a-z0-9-]+)\)$/.exec(value);
    return reference ? resolve(reference[1]) : value;
  };
}

function declarations(file) {
  const css = readFileSync(new URL(file, CSS), "utf8");
  return Object.fromEntries([...css.matchAll(/(--cpd-color-[a-z0-9-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value]));
}
