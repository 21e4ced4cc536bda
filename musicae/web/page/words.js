// What the page says: where the point is, how much there is, values with their units.

const NOTES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

export const pitchName = (pitch) => `${NOTES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

/** Where the point is, as one says it: "halfway between twinkle and ode to joy". */
export function place(names, x, y) {
  if (names.length < 2) return names[0] ?? "";
  if (names.length === 2) return between(names[0], names[1], x);
  const [top, bottom] = [y <= 0.02, y >= 0.98];
  if (top) return between(names[0], names[1], x);
  if (bottom) return between(names[2], names[3], x);
  if (x <= 0.02) return between(names[0], names[2], y);
  if (x >= 0.98) return between(names[1], names[3], y);
  if (Math.abs(x - 0.5) < 0.03 && Math.abs(y - 0.5) < 0.03) return "in the middle of all four";
  const shares = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y].map((share, i) => ({ share, name: names[i] }));
  const most = shares.sort((a, b) => b.share - a.share).filter(({ share }, i) => i < 3 && share > 0.1);
  return most.map(({ share, name }) => `${Math.round(100 * share)} % ${name}`).join(", ");
}

function between(a, b, x) {
  if (x <= 0.01) return `at ${a}`;
  if (x >= 0.99) return `at ${b}`;
  if (Math.abs(x - 0.5) < 0.02) return `halfway between ${a} and ${b}`;
  return `${Math.round(100 * x)} % of the way from ${a} to ${b}`;
}

/** How much is shown: "34 notes", "a picture". */
export function amount(point) {
  if (point.rolls) {
    const count = point.rolls.reduce((sum, roll) => sum + roll.notes.length, 0);
    const one = point.rolls.every(({ drums }) => drums) ? "hit" : "note";
    return count === 1 ? `1 ${one}` : `${count} ${one}s`;
  }
  if (point.wave) return `${point.wave.seconds.toFixed(2)} seconds`;
  return "";
}

export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A line from the server as a sentence; the name of a file stays as it is. */
export function full(line) {
  const named = /^[^:(]*\.\w{1,5}\b/.test(line);
  return `${named ? line : sentence(line)}${/[.!?]$/.test(line) ? "" : "."}`;
}

/** What became of attributes, as the sliders call them; `exact` where it was tried hard. */
export const changes = (some, exact) => some.map(({ name, unit, was, asked, is, missed }) => {
  const [attribute, part] = name.split(".").reverse();
  const called = sentence([part, titled(attribute).toLowerCase()].filter(Boolean).join(", "));
  const [from, wanted, to] = [was, asked, is].map((value) => Number(value.toPrecision(3)));
  const measured = (value) => `${value}${unit && ` ${unit}`}`;
  if (exact && missed) return `${called}: ${measured(wanted)} is out of reach; it went from ${from} as far as ${to}.`;
  return `${called}: was ${from}, is ${measured(to)}.`;
});

/** What a slider is called: the name of an attribute as words. */
export const titled = (name) => sentence(name.replaceAll("_", " ").replace(/(\d+)$/, " of $1ths"));

/** A shift of an attribute in standard deviations, and in its unit. */
export function shiftText(value, { unit, spread }) {
  if (!value) return "as it is";
  const sign = value > 0 ? "+" : "−";
  const size = Math.abs(value * spread);
  const inUnit = unit && spread ? `, ${sign}${size.toFixed(size < 10 ? 1 : 0)} ${unit}` : "";
  return `${sign}${Math.abs(value).toFixed(1)} SD${inUnit}`;
}

/** The name of a file without its ending, short enough for a corner. */
export function shortName(name) {
  const stem = name.replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/[-_]+/g, " ").trim() || name;
  return stem.length > 40 ? `${stem.slice(0, 39)}…` : stem;
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
