// Small pictures of what stands at each corner, on the pad.

import { later } from "./dom.js";
import { theme } from "./colour.js";
import { postJson } from "./net.js";
import { decodePng } from "./views.js";

const PLACES = [[0, 0], [1, 0], [0, 1], [1, 1]];
const [WIDE, TALL, SIDE, EDGE] = [104, 40, 58, 16];

export class Previews {
  constructor(pad) {
    this.pad = pad;
    this.key = "";
    this.drawings = [];
    this.fetch = later(120, (body, key) => this.load(body, key));
    pad.previews = (context, width, height) => this.draw(context, width, height);
  }

  /** Have the corners of a request's body shown. */
  setBody(body) {
    const key = body ? JSON.stringify([body.preset, body.corners, body.chords, body.lock, body.label]) : "";
    if (key === this.key) return;
    this.key = key;
    this.drawings = [];
    if (body) this.fetch(body, key);
  }

  async load(body, key) {
    const plain = { ...body, shift: {}, temperature: 0, transpose: 0 };
    for (const [i, id] of body.corners.entries()) {
      if (this.key !== key) return;
      if (id.startsWith("map:")) continue; // The map itself is there.
      const [x, y] = PLACES[i];
      // A preview that fails is left out: the point itself says what is wrong.
      const point = await postJson("api/point", { ...plain, x, y }).catch(() => null);
      const image = point?.picture ? await decodePng(point.picture.png) : null;
      if (this.key !== key) return;
      this.drawings[i] = point && { point, image };
      this.pad.refresh();
    }
  }

  draw(context, width, height) {
    const chip = (document.querySelector(".corner")?.offsetHeight ?? 30) + 18;
    this.drawings.forEach((drawing, i) => {
      if (!drawing) return;
      const [wide, tall] = drawing.image ? [SIDE, SIDE] : [WIDE, TALL];
      const [right, below] = [i % 2, i > 1];
      context.save();
      context.translate(right ? width - EDGE - wide : EDGE, below ? height - chip - tall : chip);
      context.fillStyle = theme("--ink");
      context.globalAlpha = 0.5;
      if (drawing.image) picture(context, drawing.image, wide, tall);
      else if (drawing.point.rolls) notes(context, drawing.point, wide, tall);
      else waves(context, drawing.point.wave, wide, tall);
      context.restore();
    });
  }
}

function picture(context, image, wide, tall) {
  context.globalAlpha = 0.9;
  context.imageSmoothingEnabled = false;
  context.beginPath();
  context.roundRect(0, 0, wide, tall, 8);
  context.clip();
  context.drawImage(image, 0, 0, wide, tall);
}

/** All parts on top of each other, the drums in a strip below. */
function notes(context, { rolls, length }, wide, tall) {
  const pitched = rolls.filter((roll) => !roll.drums && roll.notes.length);
  const pitches = pitched.flatMap((roll) => roll.notes.map((note) => note[2]));
  const low = Math.min(...pitches) - 1;
  const span = Math.max(12, Math.max(...pitches) + 1 - low);
  const drums = rolls.find((roll) => roll.drums && roll.notes.length);
  const strip = drums ? (pitched.length ? 0.35 : 1) * tall : 0;
  const step = wide / length;
  for (const { notes: some } of pitched) {
    for (const [start, long, pitch] of some) {
      context.fillRect(start * step, (tall - strip) * (1 - (pitch - low) / span), Math.max(1.5, long * step - 0.7), 2);
    }
  }
  for (const [start, , lane] of drums?.notes ?? []) {
    context.fillRect(start * step, tall - (strip * (lane + 0.5)) / drums.lanes.length, Math.max(1.2, step - 0.8), 2);
  }
}

function waves(context, { peaks }, wide, tall) {
  const step = Math.max(1, Math.floor(peaks.length / (wide / 2)));
  for (let i = 0; i < peaks.length; i += step) {
    const [low, high] = peaks[i];
    context.fillRect((i / peaks.length) * wide, tall / 2 - (high * tall) / 2, 1.2, Math.max(1, ((high - low) * tall) / 2));
  }
}
