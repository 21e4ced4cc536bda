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

/** The waveform of a sound with its spectrogram below, and the place that is heard. */
export class Wave {
  constructor(canvas, colour) {
    Object.assign(this, { canvas, colour, share: 0, image: null });
    this.draw = this.draw.bind(this);
    new ResizeObserver(() => nextFrame(this.draw)).observe(canvas);
    onTheme(() => nextFrame(this.draw));
  }

  async show(wave, png) {
    this.wave = wave;
    this.image = png ? await decodePng(png) : null;
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
    const upper = this.image ? Math.round(height * 0.56) : height;
    this.bars(context, width, upper);
    if (this.image) context.drawImage(this.image, 0, upper, width, height - upper);
    if (!this.share) return;
    context.fillStyle = theme("--ink");
    context.fillRect(this.share * width - 1, 0, 2, upper);
    context.fillStyle = "#fff";
    context.fillRect(this.share * width - 1, upper, 2, height - upper);
  }

  bars(context, width, height) {
    const { peaks } = this.wave;
    const count = Math.max(1, Math.min(peaks.length, Math.floor(width / 3)));
    const most = Math.max(0.25, ...peaks.map(([low, high]) => Math.max(-low, high)));
    const scale = (0.44 * height) / most;
    const wide = width / count;
    for (let i = 0; i < count; i++) {
      const from = Math.floor((i * peaks.length) / count);
      const some = peaks.slice(from, Math.max(from + 1, Math.floor(((i + 1) * peaks.length) / count)));
      const low = Math.min(...some.map(([value]) => value));
      const high = Math.max(...some.map(([, value]) => value));
      context.fillStyle = css(this.colour(), this.share && i / count < this.share ? 1 : 0.7);
      context.beginPath();
      context.roundRect(i * wide + 0.5, height / 2 - high * scale, Math.max(1, wide - 1), Math.max(1.5, (high - low) * scale), wide / 3);
      context.fill();
    }
  }
}
