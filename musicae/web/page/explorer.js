// Ways to get about: the map of a preset with two numbers, and the point that wanders.

import { $, calm, nextFrame, surface } from "./dom.js";
import { onTheme } from "./colour.js";

/** The corners with which the pad is the map. */
export const MAP = ["top left", "top right", "bottom left", "bottom right"].map((name, i) => ({ id: `map:${i % 2},${i >> 1}`, name }));

export const isMap = (corners) => corners.length === 4 && corners.every((corner, i) => corner?.id === MAP[i].id);

/** The id of what is at a place of the map. The ways between corners are curved, so that its own corners do not do. */
export const mapId = (x, y) => `map:${x.toFixed(3)},${y.toFixed(3)}`;

export class Explorer {
  /** `move(x, y)` moves the point. */
  constructor(store, pad, move) {
    Object.assign(this, { store, pad, move });
    this.image = null;
    this.mark = null;
    this.wandering = false;
    this.draw = this.draw.bind(this);
    this.step = this.step.bind(this);
    $("wander").addEventListener("click", () => this.wander(!this.wandering));
    $("pad").addEventListener("pointerdown", () => this.wander(false));
    $("pad").addEventListener("keydown", (event) => event.key.startsWith("Arrow") && this.wander(false));
    $("map-canvas").addEventListener("pointerdown", (event) => this.goTo(event));
    $("map-canvas").addEventListener("pointermove", (event) => event.buttons && this.goTo(event));
    new ResizeObserver(() => nextFrame(this.draw)).observe($("map-canvas"));
    onTheme(() => nextFrame(this.draw));
  }

  async open(preset) {
    this.wander(false);
    $("map").hidden = true;
    this.image = this.mark = null;
    this.pad.setBackdrop(null);
    if (!preset.map) return;
    const answer = await fetch(`api/map?preset=${encodeURIComponent(preset.name)}`).catch(() => null);
    if (!answer?.ok || this.store.state.preset !== preset.name) return;
    this.image = await createImageBitmap(await answer.blob());
    nextFrame(this.draw);
    this.setState(this.store.state);
  }

  /** The map is the pad itself where its corners are those of the map. */
  setState(state) {
    const whole = isMap(state.corners);
    const { image } = this;
    $("map").hidden = !image || whole;
    this.pad.setBackdrop(whole ? image : null);
    document.body.classList.toggle("on-map", whole);
  }

  show({ map }) {
    this.mark = map ?? null;
    nextFrame(this.draw);
  }

  goTo(event) {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (at, from, size) => Math.round(1000 * Math.min(1, Math.max(0, (at - from) / size))) / 1000;
    this.store.change({ corners: MAP, x: share(event.clientX, box.left, box.width), y: share(event.clientY, box.top, box.height) }, "map");
  }

  draw() {
    if (!this.image) return;
    const { context, width, height } = surface($("map-canvas"));
    if (!width) return;
    context.drawImage(this.image, 0, 0, width, height);
    if (!this.mark) return;
    const [x, y] = [this.mark[0] * width, this.mark[1] * height];
    for (const [radius, colour, wide] of [[11, "#000", 7], [11, "#fff", 3.5]]) {
      [context.strokeStyle, context.lineWidth] = [colour, wide];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  wander(on) {
    if (on === this.wandering) return;
    this.wandering = on;
    $("wander").setAttribute("aria-pressed", String(on));
    if (!on) return;
    const { x, y } = this.store.state;
    // Start where the point is: a slow figure of two sines, each at a phase that has that value now.
    this.began = this.stepped = performance.now();
    this.phases = [x, y].map((value) => Math.asin(Math.min(1, Math.max(-1, (value - 0.5) / 0.5))));
    nextFrame(this.step);
  }

  step(time) {
    if (!this.wandering) return;
    nextFrame(this.step);
    if (document.hidden || time - this.stepped < (calm() ? 1000 : 90)) return;
    this.stepped = time;
    const seconds = (time - this.began) / 1000;
    const [x, y] = [0.38, 0.29].map((speed, i) => 0.5 + 0.5 * Math.sin(this.phases[i] + speed * seconds));
    this.move(x, this.store.state.corners.length === 2 ? 0.5 : y);
  }
}
