// One part's notes on a canvas: bars, beats, rows, notes.

import { surface } from "./dom.js";
import { css, theme } from "./colour.js";
import { pitchName } from "./words.js";

const SHADES = 24;
const BLACK = new Set([1, 3, 6, 8, 10]);
/**
 * The rows that a roll shows: lanes of drums by their `names`, or the pitches that have been seen so far, so that it
 * stands still while the notes change.
 */
export class Range {
  constructor(names) {
    this.names = names;
    this.drums = names.length > 0;
    [this.low, this.high] = [Infinity, -Infinity];
  }

  see(notes) {
    for (const [, , pitch] of notes) {
      this.low = Math.min(this.low, pitch - 1);
      this.high = Math.max(this.high, pitch + 1);
    }
  }

  get count() {
    return this.drums ? this.names.length : this.span[1] - this.span[0] + 1;
  }

  /** Lowest and highest pitch, at least an octave and a half apart. */
  get span() {
    if (this.low > this.high) return [55, 79];
    const missing = Math.max(0, 18 - (this.high - this.low));
    return [this.low - Math.ceil(missing / 2), this.high + Math.floor(missing / 2)];
  }

  /** The row of a pitch or drum, 0 at the bottom. */
  row(pitch) {
    return this.drums ? pitch : pitch - this.span[0];
  }
}

/**
 * Draw `notes` [start, length, pitch, velocity]. `before` are those shown so far, which give way: `blend` 0 to 1 tells
 * how far. `step` is the one that sounds, or -1.
 */
export function drawRoll(canvas, { notes, before = [], blend = 1, grid, range, colour, gutter = 0, step = -1, faint = false }) {
  const { context, width, height } = surface(canvas);
  if (!width) return;
  const rowHeight = height / range.count;
  const stepWidth = (width - gutter) / grid.length;
  rows(context, width, height, range, rowHeight);
  labels(context, range, rowHeight, height, gutter);
  context.translate(gutter, 0);
  beats(context, height, grid, stepWidth, gutter);
  const geometry = { stepWidth, rowHeight, height, range };
  const key = (note) => `${note[0]} ${note[2]}`;
  const kept = new Set(blend < 1 ? before.map(key) : []);
  const now = new Set(notes.map(key));
  const strength = faint ? 0.35 : 1;
  const shades = new Map(); // How strong a shade is -> all notes of it, which are filled together.
  const add = (note, share) => {
    const strong = Math.round(SHADES * share * (0.62 + 0.38 * Math.min(1, note[3] / 110))) / SHADES;
    if (!shades.has(strong)) shades.set(strong, new Path2D());
    outline(shades.get(strong), note, geometry);
  };
  if (blend < 1) for (const note of before) if (!now.has(key(note))) add(note, strength * (1 - blend));
  const sounding = [];
  for (const note of notes) {
    if (!faint && step >= note[0] && step < note[0] + note[1]) sounding.push(note);
    else add(note, strength * (kept.has(key(note)) ? 1 : blend));
  }
  for (const [strong, path] of shades) {
    context.fillStyle = css(colour, strong);
    context.fill(path);
  }
  if (sounding.length) shine(context, sounding, geometry, colour);
}

function rows(context, width, height, range, rowHeight) {
  context.fillStyle = theme("--row");
  for (let row = 0; row < range.count; row++) {
    const dark = range.drums ? row % 2 : BLACK.has((range.span[0] + row) % 12);
    if (dark) context.fillRect(0, height - (row + 1) * rowHeight, width, rowHeight);
  }
}

function beats(context, height, { length, perBeat, perBar }, stepWidth, gutter) {
  const tick = stepWidth * perBeat >= 7 ? perBeat : perBeat * perBar;
  const [ofBar, ofBeat] = [theme("--bar"), theme("--beat")];
  for (let step = gutter ? 0 : tick; step < length; step += tick) {
    const bar = step % (perBeat * perBar) === 0;
    context.fillStyle = bar ? ofBar : ofBeat;
    context.fillRect(Math.round(step * stepWidth) - (bar ? 0.5 : 0), 0, bar ? 1.5 : 1, height);
  }
}

/** Add a note's outline to a path. */
function outline(path, [start, length, pitch], { stepWidth, rowHeight, height, range }) {
  const gap = Math.min(1.5, stepWidth * 0.12);
  const tall = Math.max(2.5, Math.min(rowHeight - 1, range.drums ? Math.max(12, rowHeight * 0.36) : 15));
  const y = height - (range.row(pitch) + 0.5) * rowHeight - tall / 2;
  const x = start * stepWidth + gap;
  const wide = Math.max(2, (range.drums ? Math.min(stepWidth, 16) : length * stepWidth) - 2 * gap);
  path.roundRect(x, y, wide, tall, Math.min(4, tall / 2.5, wide / 2));
}

/** Draw the notes that sound. */
function shine(context, notes, geometry, colour) {
  const path = new Path2D();
  for (const note of notes) outline(path, note, geometry);
  context.shadowColor = css(colour, 0.9);
  context.shadowBlur = 12;
  context.fillStyle = css(colour, 1);
  context.fill(path);
  context.shadowBlur = 0;
  context.fillStyle = theme("--flash");
  context.fill(path);
}

function labels(context, range, rowHeight, height, gutter) {
  context.font = `10px ${theme("--sans") || "system-ui"}`;
  context.fillStyle = theme("--muted");
  context.textBaseline = "middle";
  if (range.drums) {
    if (!gutter) return;
    const size = rowHeight < 10 ? Math.max(6, Math.floor(rowHeight)) : rowHeight > 20 ? 12 : 10;
    context.font = context.font.replace("10px", `${size}px`);
    range.names.forEach((name, row) => context.fillText(name, 8, height - (row + 0.5) * rowHeight + 0.5));
    return;
  }
  const [low, high] = range.span;
  for (let pitch = low; pitch <= high; pitch++) {
    const y = height - (pitch - low + 0.5) * rowHeight + 0.5;
    if (pitch % 12 === 0 && y > 6 && y < height - 6) context.fillText(pitchName(pitch), gutter ? 8 : 4, y);
  }
}
