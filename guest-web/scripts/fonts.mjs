// Cuts KERN's fonts to the letters of European languages: a quarter of the size, for the first paint on a slow
// line. The rest of each font is a second file that browsers fetch only for a text that needs it.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import subsetFont from "subset-font";

const SOURCE = new URL("../node_modules/@kern-ux/native/dist/fonts/fira-sans/", import.meta.url);
const TARGET = new URL("../src/fonts/", import.meta.url);

/** The same ranges stand in styles/_fonts.scss. */
const LATIN = [
  [0x0020, 0x007e],
  [0x00a0, 0x017f],
  [0x2010, 0x2027],
  [0x202f, 0x203a],
  [0x20ac, 0x20ac],
  [0x2122, 0x2122],
];

const letters = LATIN.flatMap(([first, last]) =>
  Array.from({ length: last - first + 1 }, (_, place) => String.fromCodePoint(first + place)),
).join("");

await mkdir(TARGET, { recursive: true });
for (const weight of ["Regular", "Medium", "SemiBold"]) {
  const font = await readFile(new URL(`FiraSans-${weight}.woff2`, SOURCE));
  const latin = await subsetFont(font, letters, { targetFormat: "woff2" });
  await writeFile(new URL(`FiraSans-${weight}-latin.woff2`, TARGET), latin);
}
