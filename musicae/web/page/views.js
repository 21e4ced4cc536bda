// What is shown that is no notes: a picture, the waveform of a sound.

import { nextFrame, surface } from "./dom.js";
import { css, onTheme, theme } from "./colour.js";

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** The picture of base64 PNG. */
export const decodePng = (text) => createImageBitmap(new Blob([bytesOf(text)], { type: "image/png" }));

/** A picture as large as it fits, every pixel a square. */
export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.draw = this.draw.bind(this);
    new ResizeObserver(() => nextFrame(this.draw)).observe(canvas);
  }

  async show(png) {
    this.image = await decodePng(png);
    nextFrame(this.draw);
  }

  draw() {
    const { context, width, height } = surface(this.canvas);
    if (!this.image || !width) return;
    const scale = Math.min(width / this.image.width, height / this.image.height);
    const [w, h] = [this.image.width * scale, this.image.height * scale];
    context.imageSmoothingEnabled = scale < 2;
    context.drawImage(this.image, (width - w) / 2, (height - h) / 2, w, h);
  }
}

/** The waveform of a sound, with the place that is heard. */
export class Wave {
  constructor(canvas, colour) {
    Object.assign(this, { canvas, colour, share: 0 });
    this.draw = this.draw.bind(this);
    new ResizeObserver(() => nextFrame(this.draw)).observe(canvas);
    onTheme(() => nextFrame(this.draw));
  }

  show(wave) {
    this.wave = wave;
    nextFrame(this.draw);
  }

  playhead(share) {
    if (share === this.share) return;
    this.share = share;
    nextFrame(this.draw);
  }

  draw() {
    const { context, width, height } = surface(this.canvas);
    if (!this.wave || !width) return;
    const { peaks } = this.wave;
    const bars = Math.max(1, Math.min(peaks.length, Math.floor(width / 3)));
    const top = Math.max(0.05, ...peaks.map(([low, high]) => Math.max(-low, high)));
    const scale = (0.46 * height) / Math.max(top, 0.25);
    context.fillStyle = theme("--beat");
    context.fillRect(0, height / 2, width, 1);
    for (let bar = 0; bar < bars; bar++) {
      const some = peaks.slice(Math.floor((bar * peaks.length) / bars), Math.max(1, Math.floor(((bar + 1) * peaks.length) / bars)));
      const low = Math.min(...some.map(([value]) => value));
      const high = Math.max(...some.map(([, value]) => value));
      const x = (bar / bars) * width;
      const wide = width / bars;
      context.fillStyle = css(this.colour(), this.share && bar / bars < this.share ? 1 : 0.62);
      context.beginPath();
      context.roundRect(x + 0.5, height / 2 - high * scale, Math.max(1, wide - 1), Math.max(1.5, (high - low) * scale), wide / 3);
      context.fill();
    }
  }
}
