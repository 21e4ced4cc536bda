// Colours of the corners, of what lies between them, and of the theme. Mixed in OKLab (Ottosson 2020), evenly to the eye.

const dark = matchMedia("(prefers-color-scheme: dark)");

const CORNERS = {
  light: ["#dd5b3c", "#4a5fd0", "#d99a1c", "#12907f"],
  dark: ["#f5866a", "#8e9cfb", "#f0bd52", "#4cc4b0"],
};

/** Colours of the corners in the current theme, as [r, g, b] of 0..1. */
export const corners = () => CORNERS[dark.matches ? "dark" : "light"].map(parse);

export const isDark = () => dark.matches;

export const onTheme = (then) => dark.addEventListener("change", then);

const PARTS = { melody: 0, bass: 1, harmony: 3, drums: 2 };

/** Colour of the part `name`, the `index`-th of its preset. */
export const ofPart = (name, index) => corners()[PARTS[name] ?? index % 4];

/** A property of the theme from style.css, as "--ink". */
export const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function parse(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
}

export function css([r, g, b], alpha = 1) {
  const [x, y, z] = [r, g, b].map((value) => Math.round(Math.min(1, Math.max(0, value)) * 255));
  return `rgba(${x}, ${y}, ${z}, ${alpha})`;
}

/** How much each of two or four corners counts at (x, y): bilinear weights. */
export function weights(count, x, y) {
  return count === 2 ? [1 - x, x] : [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
}

/** A function that mixes `colours` by their shares, and lets the mixture have a chroma of at least `least`. */
export function mixer(colours, least = 0) {
  const labs = colours.map(toLab);
  return (shares) => {
    const [light, a, b] = [0, 1, 2].map((k) => labs.reduce((sum, lab, i) => sum + shares[i] * lab[k], 0));
    const more = Math.min(3, Math.max(1, least / (Math.hypot(a, b) + 1e-6)));
    return fromLab([light, a * more, b * more]);
  };
}

const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const gamma = (v) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);

function toLab(colour) {
  const [r, g, b] = colour.map(linear);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromLab([L, a, b]) {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((value) => gamma(Math.max(0, value)));
}
