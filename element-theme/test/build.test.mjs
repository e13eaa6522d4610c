import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { generated, tokens } from "../build.mjs";
import { readCity } from "../src/city.mjs";
import { config } from "../src/config.mjs";
import { themes } from "../src/themes.mjs";

const HERE = new URL("..", import.meta.url);
const demo = readFileSync(new URL("city.json", HERE), "utf8");
const dormagen = JSON.parse(demo);
const forCity = (change = {}) => config(readCity(JSON.stringify({ ...dormagen, ...change })), themes(tokens()));

test("dist/ is what the sources say", () => {
  for (const [path, text] of generated()) {
    assert.equal(readFileSync(new URL(path, HERE), "utf8"), text, `${path} is not fresh: npm run build`);
  }
});

test("the default theme is one that comes with it", () => {
  const { default_theme: name, setting_defaults: settings } = forCity();
  assert.ok(settings.custom_themes.some((theme) => `custom-${theme.name}` === name && !theme.is_dark));
  assert.ok(settings.custom_themes.some((theme) => theme.is_dark));
});

test("the bar that approves and denies is on, whatever the city", () => {
  assert.equal(forCity().features.feature_ask_to_join, true);
  assert.equal(forCity({ calls: true }).features.feature_ask_to_join, true);
});

test("an ended visit's concern leaves no trace: the setting is under the name Element reads it by", () => {
  const settings = forCity().setting_defaults;
  assert.equal(settings.hideRedactions, true);
  assert.ok(!("showRedactions" in settings));
});

test("call buttons appear only when the city has calls, and never lead to Jitsi", () => {
  assert.equal(forCity({ calls: false }).setting_defaults["UIFeature.voip"], false);
  const withCalls = forCity({ calls: true });
  assert.equal(withCalls.setting_defaults["UIFeature.voip"], true);
  assert.equal(withCalls.features.feature_group_calls, true);
  assert.equal(withCalls.element_call.use_exclusively, true);
});

test("nothing in the config points outside the city", () => {
  const addresses = JSON.stringify(forCity()).match(/https?:\/\/[^"/]+/g);
  assert.ok(addresses.length > 3);
  assert.deepEqual(
    addresses.filter((address) => !address.endsWith(".dormagen.example")),
    [],
  );
});

test("a wrong city.json is refused with all its faults and their cures", () => {
  const wrong = { ...dormagen, server_name: "@anna:dormagen.example", lobby_url: "vorzimmer.dormagen.example/", call: true };
  assert.throws(
    () => readCity(JSON.stringify(wrong)),
    (error) =>
      error.message.split("\n").length === 3 &&
      /"server_name" is not one: give/.test(error.message) &&
      /"lobby_url" is not an address: write/.test(error.message) &&
      /"call" is unknown: remove it/.test(error.message),
  );
  assert.throws(() => readCity("{"), /not JSON/);
  assert.throws(() => readCity("[]"), /one JSON object/);
  assert.throws(() => readCity(JSON.stringify({ ...dormagen, homeserver_url: "http://matrix.dormagen.example" })), /https/);
});

test("the command writes a city's config, and a fault leaves the old one", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "element-theme-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const [city, out] = [join(dir, "city.json"), join(dir, "config.json")];
  const run = () => spawnSync(process.execPath, [fileURLToPath(new URL("build.mjs", HERE)), "--city", city, "--out", out]);

  writeFileSync(city, JSON.stringify({ ...dormagen, brand: "Vorzimmer Zons" }));
  assert.equal(run().status, 0);
  assert.equal(JSON.parse(readFileSync(out, "utf8")).brand, "Vorzimmer Zons");

  writeFileSync(city, "{}");
  const refused = run();
  assert.equal(refused.status, 1);
  assert.match(refused.stderr.toString(), /city\.json: "brand" is missing/);
  assert.equal(JSON.parse(readFileSync(out, "utf8")).brand, "Vorzimmer Zons");
});
