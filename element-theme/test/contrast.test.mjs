import assert from "node:assert/strict";
import { test } from "node:test";

import { tokens } from "../build.mjs";
import { contrast } from "../src/colour.mjs";
import { COMPOUND, LEGACY } from "../src/roles.mjs";
import { themes } from "../src/themes.mjs";
import { resolver } from "../support/compound.mjs";
import { compoundPairs, legacyPairs, mixedPairs } from "../support/pairs.mjs";

for (const theme of themes(tokens())) {
  const compound = resolver(theme.is_dark ? "dark" : "light", theme.compound);
  const ofCompound = (name) => compound(`--cpd-color-${name}`);
  const ofLegacy = (name) => (name.startsWith("#") ? name : theme.colors[name]);

  const weak = (pairs, foregroundOf, backgroundOf) =>
    pairs.flatMap(([foreground, background, atLeast]) => {
      const ratio = contrast(foregroundOf(foreground), backgroundOf(background));
      return ratio < atLeast ? [`${foreground} on ${background}: ${ratio.toFixed(2)}, needs ${atLeast}`] : [];
    });

  test(`${theme.name}: every pair of Compound tokens has its contrast`, () => {
    assert.deepEqual(weak(compoundPairs, ofCompound, ofCompound), []);
  });

  test(`${theme.name}: every pair of the older style sheets has its contrast`, () => {
    assert.deepEqual(weak(legacyPairs, ofLegacy, ofLegacy), []);
  });

  test(`${theme.name}: the two have contrast where they meet`, () => {
    assert.deepEqual(weak(mixedPairs, ofCompound, ofLegacy), []);
  });
}

test("every colour the theme sets is in a pair, or is known to decorate only", () => {
  const decorates = /^(separator|gradient)-|^border-(critical|success|info|accent)-subtle$/;
  const paired = new Set([...compoundPairs, ...mixedPairs].flat());
  const forgotten = Object.keys(COMPOUND).filter((name) => !paired.has(name) && !decorates.test(name));
  assert.deepEqual(forgotten, []);

  const decoratesToo = /^accent-color-\d+$|^(quinary-content|roomlist-separator-color|secondary-hairline-color)$/;
  const pairedToo = new Set([...legacyPairs, ...mixedPairs].flat());
  const forgottenToo = Object.keys(LEGACY).filter((name) => !pairedToo.has(name) && !decoratesToo.test(name));
  assert.deepEqual(forgottenToo, []);
});

test("contrast is that of WCAG", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#777777", "#777777"), 1);
  // The grey that just fails on white, and the one that just passes.
  assert.ok(contrast("#777777", "#ffffff") < 4.5);
  assert.ok(contrast("#767676", "#ffffff") > 4.5);
});
