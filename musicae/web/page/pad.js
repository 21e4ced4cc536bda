// The pad: a field between two or four corners, a point that is dragged over it, and the trail it leaves.

import { calm, clamp, nextFrame, surface } from "./dom.js";
import { corners, css, isDark, mixer, onTheme, theme, weights } from "./colour.js";

const TRAIL = 2600; // milliseconds until a trail has faded
const STEP = 0.02;
const MARGIN = 26; // pixels between the edge and where the point can be, unless a picture fills the pad

export class Pad {
  /** `moved(x, y, more)`: the point was moved; `more` tells that the drag goes on. */
  constructor(element, canvas, moved) {
    Object.assign(this, { element, canvas, moved });
    [this.count, this.x, this.y, this.pulse] = [2, 0.5, 0.5, 0];
    this.trail = [];
    this.backdrop = null;
    this.previews = () => {};
    this.draw = this.draw.bind(this);
    this.listen();
    new ResizeObserver(() => nextFrame(this.draw)).observe(canvas);
    onTheme(() => nextFrame(this.draw));
  }

  listen() {
    const { element } = this;
    element.addEventListener("pointerdown", (event) => {
      if (event.button || this.off) return;
      element.setPointerCapture(event.pointerId);
      element.classList.add("dragging");
      this.follow(event, true);
    });
    element.addEventListener("pointermove", (event) => {
      if (!element.hasPointerCapture(event.pointerId)) return;
      this.follow(event.getCoalescedEvents?.().at(-1) ?? event, true);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      element.addEventListener(name, (event) => {
        if (!element.classList.contains("dragging")) return;
        element.classList.remove("dragging");
        if (name === "pointerup") this.follow(event, false);
      });
    }
    element.addEventListener("keydown", (event) => this.press(event));
  }

  follow(event, more) {
    const box = this.canvas.getBoundingClientRect();
    const along = (at, from, size) => clamp((at - from - this.margin) / (size - 2 * this.margin), 0, 1);
    this.go(along(event.clientX, box.left, box.width), along(event.clientY, box.top, box.height), more);
  }

  press(event) {
    if (this.off || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEP * (event.shiftKey ? 5 : 1);
    const flat = this.count === 2;
    const moves = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: flat ? [step, 0] : [0, -step],
      ArrowDown: flat ? [-step, 0] : [0, step],
      PageUp: flat ? [0.1, 0] : [0, -0.1],
      PageDown: flat ? [-0.1, 0] : [0, 0.1],
    };
    if (event.key === "Home") this.go(0.5, 0.5, false);
    else if (moves[event.key]) this.go(clamp(this.x + moves[event.key][0], 0, 1), clamp(this.y + moves[event.key][1], 0, 1), false);
    else return;
    event.preventDefault();
  }

  go(x, y, more) {
    const round = (value) => Math.round(value * 1000) / 1000;
    this.moved(round(x), this.count === 2 ? 0.5 : round(y), more);
  }

  /** Show a state: how many corners, where the point is. */
  set({ count, x, y, off }) {
    if (x !== this.x || y !== this.y) {
      this.trail.push({ x: this.x, y: this.y, time: performance.now() });
      if (this.trail.length > 400) this.trail.shift();
    }
    if (count !== this.count) this.trail = [];
    Object.assign(this, { count, x, y, off });
    nextFrame(this.draw);
  }

  /** Fill the pad with a picture, or with colours: null. */
  setBackdrop(image) {
    this.backdrop = image;
    this.refresh();
  }

  get margin() {
    return this.backdrop ? 0 : MARGIN;
  }

  refresh() {
    nextFrame(this.draw);
  }

  /** The beat: the point swells a little. */
  beat() {
    if (calm()) return;
    this.pulse = performance.now();
    nextFrame(this.draw);
  }

  /** The colour of where the point is, [r, g, b]. */
  colour() {
    return mixer(corners().slice(0, this.count), 0.09)(weights(this.count, this.x, this.y));
  }

  at(x, y, width, height) {
    const margin = this.margin;
    return [margin + x * (width - 2 * margin), this.count === 2 ? height / 2 : margin + y * (height - 2 * margin)];
  }

  draw(time = performance.now()) {
    const { context, width, height } = surface(this.canvas);
    if (!width) return;
    this.field(context, width, height);
    const [px, py] = this.at(this.x, this.y, width, height);
    if (this.off) return;
    this.previews(context, width, height);
    this.cross(context, width, height, px, py);
    const fading = this.tail(context, width, height, time);
    const swell = Math.max(0, 1 - (time - this.pulse) / 380);
    this.point(context, px, py, swell);
    if (fading || swell > 0) nextFrame(this.draw);
  }

  field(context, width, height) {
    const size = 128;
    const rows = this.count === 2 ? 1 : size;
    const key = `${this.count} ${isDark()}`;
    if (this.painted !== key) {
      this.small = new OffscreenCanvas(size, rows);
      const pen = this.small.getContext("2d");
      const image = pen.createImageData(size, rows);
      const mix = mixer(corners().slice(0, this.count));
      for (let i = 0; i < size * rows; i++) {
        const shares = weights(this.count, (i % size) / (size - 1), Math.floor(i / size) / (size - 1));
        image.data.set([...mix(shares).map((value) => Math.round(255 * clamp(value, 0, 1))), 255], 4 * i);
      }
      pen.putImageData(image, 0, 0);
      this.painted = key;
    }
    context.save();
    context.globalAlpha = this.off ? 0.08 : isDark() ? 0.36 : 0.34;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.small, 0.5, rows > 1 ? 0.5 : 0, size - 1, rows > 1 ? size - 1 : 1, 0, 0, width, height);
    if (this.backdrop) {
      context.globalAlpha = 0.9;
      context.drawImage(this.backdrop, 0, 0, width, height);
    }
    context.restore();
  }

  cross(context, width, height, px, py) {
    context.strokeStyle = theme("--ink");
    context.lineWidth = 1;
    context.globalAlpha = 0.16;
    context.beginPath();
    if (this.count === 2) {
      context.moveTo(MARGIN, py);
      context.lineTo(width - MARGIN, py);
      for (let i = 0; i <= 8; i++) {
        const x = MARGIN + (i / 8) * (width - 2 * MARGIN);
        const half = i % 4 ? 4 : 8;
        context.moveTo(x, py - half);
        context.lineTo(x, py + half);
      }
    } else {
      context.moveTo(px, 0);
      context.lineTo(px, height);
      context.moveTo(0, py);
      context.lineTo(width, py);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** Draw where the point has been; between two corners the trail drifts down, as on a strip of paper. */
  tail(context, width, height, time) {
    while (this.trail.length && time - this.trail[0].time > TRAIL) this.trail.shift();
    if (!this.trail.length) return false;
    const points = [...this.trail, { x: this.x, y: this.y, time }];
    const colour = this.colour();
    context.lineCap = "butt";
    for (let i = 1; i < points.length; i++) {
      const age = (time - points[i - 1].time) / TRAIL;
      const strength = Math.max(0, 1 - age) ** 1.6;
      const [x0, y0] = this.drifted(points[i - 1], time, width, height);
      const [x1, y1] = this.drifted(points[i], time, width, height);
      context.strokeStyle = css(colour, 0.85 * strength);
      context.lineWidth = 1 + 7 * strength;
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.stroke();
    }
    return true;
  }

  drifted(point, time, width, height) {
    const [x, y] = this.at(point.x, point.y, width, height);
    const drift = this.count === 2 && !calm() ? ((time - point.time) / TRAIL) * (height / 2 - 12) : 0;
    return [x, y + drift];
  }

  point(context, x, y, swell) {
    context.save();
    if (swell > 0) {
      context.strokeStyle = css(this.colour(), 0.7 * swell);
      context.lineWidth = 2;
      circle(context, x, y, 13 + 14 * (1 - swell));
      context.stroke();
    }
    context.shadowColor = "rgba(0, 0, 0, 0.35)";
    context.shadowBlur = 10;
    context.shadowOffsetY = 2;
    context.fillStyle = theme("--point");
    circle(context, x, y, 13);
    context.fill();
    context.shadowColor = "transparent";
    context.fillStyle = css(this.colour());
    circle(context, x, y, 9);
    context.fill();
    context.restore();
  }
}

function circle(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}
