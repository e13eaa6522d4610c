/**
 * Colours: from OKLCH, as KERN writes them, to the sRGB hex that Element's themes want, and the contrast
 * between two of them.
 */

/**
 * @typedef {readonly [number, number, number]} LinearRgb Red, green, blue; linear light, 0 to 1 inside sRGB.
 */

const OKLCH = /^oklch\((\d+(?:\.\d+)?)% (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)\)$/;

/**
 * The linear light of a colour written as `oklch(43.2% 0.168 265)`. Source of the matrices: CSS Color 4,
 * <https://www.w3.org/TR/css-color-4/#color-conversion-code> (OKLab to LMS, LMS to linear sRGB).
 *
 * @param {string} text
 * @returns {LinearRgb} May lie outside 0 to 1: such a colour cannot be shown on an sRGB screen.
 */
export function linearFromOklch(text) {
  const match = OKLCH.exec(text);
  if (!match) {
    throw new Error(`cannot read the colour "${text}": write it as oklch(43.2% 0.168 265)`);
  }
  const lightness = Number(match[1]) / 100;
  const chroma = Number(match[2]);
  const hue = (Number(match[3]) * Math.PI) / 180;
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/**
 * The colour as `#rrggbb`. A component outside sRGB is cut off at its end.
 *
 * @param {LinearRgb} linear
 * @returns {string}
 */
export function hexFromLinear(linear) {
  const digits = linear.map((component) => {
    const inside = Math.min(1, Math.max(0, component));
    const encoded = inside <= 0.0031308 ? 12.92 * inside : 1.055 * inside ** (1 / 2.4) - 0.055;
    return Math.round(encoded * 255)
      .toString(16)
      .padStart(2, "0");
  });
  return `#${digits.join("")}`;
}

/**
 * The contrast of two colours as WCAG 2.2 defines it, 1 to 21:
 * <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>.
 *
 * @param {string} one `#rrggbb`
 * @param {string} other `#rrggbb`
 * @returns {number}
 */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/**
 * Relative luminance, 0 to 1: <https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>.
 *
 * @param {string} hex `#rrggbb`
 * @returns {number}
 */
function luminance(hex) {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/.exec(hex);
  if (!match) {
    throw new Error(`cannot read the colour "${hex}": write it as #rrggbb`);
  }
  const [red, green, blue] = match.slice(1).map((digits) => {
    const encoded = Number.parseInt(digits, 16) / 255;
    return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
