import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { tokens } from "../build.mjs";
import { hexFromLinear, linearFromOklch } from "../src/colour.mjs";
import { COMPOUND, LEGACY } from "../src/roles.mjs";
import { oklch } from "../src/themes.mjs";
import { settable } from "../support/compound.mjs";
import * as kern from "../support/kern.mjs";

const ours = tokens();

test("tokens.json says what the installed KERN says", () => {
  assert.equal(ours.package, "@kern-ux/native");
  assert.equal(ours.version, kern.version);
  assert.deepEqual(ours.light, kern.meanings.light);
  assert.deepEqual(ours.dark, kern.meanings.dark);
  for (const [token, value] of Object.entries(ours.palette)) {
    assert.equal(value, kern.palette[token], token);
  }
});

const guestWeb = new URL("../../guest-web/package.json", import.meta.url);

test("the guest page uses the same KERN", { skip: !existsSync(guestWeb) && "there is no guest-web here" }, () => {
  assert.equal(JSON.parse(readFileSync(guestWeb, "utf8")).dependencies[ours.package], ours.version);
});

test("tokens.json keeps no colour that nothing uses", () => {
  const used = new Set([...Object.values(ours.light), ...Object.values(ours.dark)]);
  for (const role of [...Object.values(COMPOUND), ...Object.values(LEGACY)]) {
    if (typeof role !== "string") {
      role.forEach((name) => used.add(`--kern-color-${name}`));
    }
  }
  assert.deepEqual(Object.keys(ours.palette).sort(), [...used].sort());
});

test("every colour of the themes can be shown on an sRGB screen", () => {
  // Half a step of 8 bits: rounding, not another colour.
  const tolerance = 0.5 / 255;
  for (const role of [...Object.values(COMPOUND), ...Object.values(LEGACY)]) {
    for (const mode of ["light", "dark"]) {
      for (const component of linearFromOklch(oklch(ours, mode, role))) {
        assert.ok(component >= -tolerance && component <= 1 + tolerance, `${role} (${mode}): ${component}`);
      }
    }
  }
});

test("Compound knows every token the theme sets, and lets a theme set it", () => {
  assert.deepEqual(
    Object.keys(COMPOUND).filter((name) => !settable.has(`--cpd-color-${name}`)),
    [],
  );
});

test("OKLCH becomes the right sRGB", () => {
  const hex = (text) => hexFromLinear(linearFromOklch(text));
  assert.equal(hex("oklch(100% 0 0)"), "#ffffff");
  assert.equal(hex("oklch(0% 0 0)"), "#000000");
  // The primaries, from the sample values of CSS Color 4.
  assert.equal(hex("oklch(62.796% 0.25768 29.234)"), "#ff0000");
  assert.equal(hex("oklch(86.644% 0.29483 142.495)"), "#00ff00");
  assert.equal(hex("oklch(45.201% 0.31321 264.052)"), "#0000ff");
  assert.throws(() => hex("blue"), /write it as oklch/);
});
