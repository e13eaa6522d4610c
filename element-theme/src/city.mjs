/** What differs from city to city: `city.json`. */

/**
 * @typedef {{
 *   brand: string,
 *   server_name: string,
 *   homeserver_url: string,
 *   element_url: string,
 *   lobby_url: string,
 *   help_url: string,
 *   calls: boolean,
 * }} City
 */

const URLS = ["homeserver_url", "element_url", "lobby_url", "help_url"];

/**
 * Reads and checks the file's text.
 *
 * @param {string} text
 * @returns {City}
 * @throws {Error} saying every fault at once, each with its cure
 */
export function readCity(text) {
  let city;
  try {
    city = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not JSON: ${error.message}`);
  }
  if (city === null || typeof city !== "object" || Array.isArray(city)) {
    throw new Error("it must be one JSON object: take the city.json of this folder as a pattern");
  }
  const faults = [];
  if (typeof city.brand !== "string" || city.brand.trim() === "") {
    faults.push('"brand" is missing: give the name clerks read in the window, such as "Vorzimmer Dormagen"');
  }
  if (typeof city.server_name !== "string" || !/^[a-z0-9.-]+(:\d+)?$/.test(city.server_name)) {
    faults.push('"server_name" is not one: give the part of a Matrix id behind the colon, such as "dormagen.example"');
  }
  for (const key of URLS) {
    if (!isUrl(city[key])) {
      faults.push(`"${key}" is not an address: write it as "https://…", without a slash at the end`);
    }
  }
  if (typeof city.calls !== "boolean") {
    faults.push('"calls" must be true or false: true once the homeserver offers an Element Call backend');
  }
  const known = new Set(["brand", "server_name", "calls", ...URLS]);
  for (const key of Object.keys(city)) {
    if (!known.has(key)) {
      faults.push(`"${key}" is unknown: remove it, or correct its spelling (known: ${[...known].join(", ")})`);
    }
  }
  if (faults.length > 0) {
    throw new Error(faults.join("\n"));
  }
  return city;
}

/** `http` only for trials on one's own machine. */
function isUrl(value) {
  if (typeof value !== "string" || value.endsWith("/") || !URL.canParse(value)) {
    return false;
  }
  const url = new URL(value);
  return url.protocol === "https:" || (url.protocol === "http:" && url.hostname === "localhost");
}
