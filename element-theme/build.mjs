/**
 * Writes Element's themes and `config.json`.
 *
 *   node build.mjs                                     dist/ for the demo city
 *   node build.mjs --city my.json --out config.json    the config of your city
 *   node build.mjs --check                             fails if dist/ is not what the sources say
 */

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { readCity } from "./src/city.mjs";
import { config } from "./src/config.mjs";
import { themes } from "./src/themes.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));

/**
 * The text of every generated file, by its path in this folder.
 *
 * @returns {Map<string, string>}
 */
export function generated() {
  const all = themes(tokens());
  return new Map([
    ["dist/themes.json", json(all)],
    ["dist/config.json", json(config(city(join(HERE, "city.json")), all))],
  ]);
}

/** The tokens of `tokens.json`. */
export function tokens() {
  return JSON.parse(readFileSync(join(HERE, "tokens.json"), "utf8"));
}

function city(path) {
  try {
    return readCity(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: ${error.message}`);
  }
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function stale() {
  return [...generated()].filter(([path, text]) => {
    try {
      return readFileSync(join(HERE, path), "utf8") !== text;
    } catch {
      return true;
    }
  });
}

function main() {
  const { values } = parseArgs({
    options: { check: { type: "boolean" }, city: { type: "string" }, out: { type: "string" } },
  });
  if ((values.city === undefined) !== (values.out === undefined)) {
    throw new Error("--city and --out go together: --city my.json --out config.json");
  }
  if (values.check) {
    const paths = stale().map(([path]) => path);
    if (paths.length > 0) {
      throw new Error(`not fresh: ${paths.join(", ")}; run "npm run build" and commit the result`);
    }
  } else if (values.city) {
    writeFileSync(values.out, json(config(city(values.city), themes(tokens()))));
  } else {
    for (const [path, text] of generated()) {
      writeFileSync(join(HERE, path), text);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
