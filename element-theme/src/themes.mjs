/** Element's custom themes, made of the tokens in `tokens.json` and the roles in `roles.mjs`. */

import { hexFromLinear, linearFromOklch } from "./colour.mjs";
import { COMPOUND, LEGACY } from "./roles.mjs";

/**
 * @typedef {{
 *   package: string,
 *   version: string,
 *   palette: Record<string, string>,
 *   light: Record<string, string>,
 *   dark: Record<string, string>,
 * }} Tokens `palette` gives each colour in OKLCH; `light` and `dark` say which one a token of meaning is.
 *
 * @typedef {{
 *   name: string,
 *   is_dark: boolean,
 *   colors: Record<string, string>,
 *   compound: Record<string, string>,
 * }} Theme An entry of `custom_themes`.
 */

/** The names of the themes, as a clerk reads them in Element's settings. */
export const NAMES = { light: "Vorzimmer hell", dark: "Vorzimmer dunkel" };

const PREFIX = "--kern-color-";

/**
 * The light and the dark theme.
 *
 * @param {Tokens} tokens
 * @returns {[Theme, Theme]}
 */
export function themes(tokens) {
  return [theme(tokens, "light"), theme(tokens, "dark")];
}

/**
 * @param {Tokens} tokens
 * @param {"light" | "dark"} mode
 * @returns {Theme}
 */
function theme(tokens, mode) {
  const colours = (roles, prefix = "") =>
    Object.fromEntries(Object.entries(roles).map(([name, role]) => [prefix + name, colour(tokens, mode, role)]));
  return {
    name: NAMES[mode],
    is_dark: mode === "dark",
    colors: colours(LEGACY),
    compound: colours(COMPOUND, "--cpd-color-"),
  };
}

/**
 * The colour that plays a role, `#rrggbb`.
 *
 * @param {Tokens} tokens
 * @param {"light" | "dark"} mode
 * @param {import("./roles.mjs").Role} role
 * @returns {string}
 */
export function colour(tokens, mode, role) {
  return hexFromLinear(linearFromOklch(oklch(tokens, mode, role)));
}

/**
 * The same in OKLCH, as KERN has it.
 *
 * @param {Tokens} tokens
 * @param {"light" | "dark"} mode
 * @param {import("./roles.mjs").Role} role
 * @returns {string}
 */
export function oklch(tokens, mode, role) {
  const paletteToken =
    typeof role === "string" ? tokens[mode][PREFIX + role] : PREFIX + role[mode === "light" ? 0 : 1];
  const value = tokens.palette[paletteToken];
  if (value === undefined) {
    throw new Error(`tokens.json has no colour for ${JSON.stringify(role)} in the ${mode} theme`);
  }
  return value;
}
