// Small helpers for the document, shared by all modules.

export const $ = (id) => document.getElementById(id);

/** An element with properties and children: `make("button", { type: "button" }, "Play")`. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") || name === "role" || name === "for") element.setAttribute(name, value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** One of the drawings that index.html defines as symbols. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const quiet = matchMedia("(prefers-reduced-motion: reduce)");
export const calm = () => quiet.matches;

const waiting = new Map();

/** Call `draw(time)` once in the next animation frame, however often it is asked for. */
export function nextFrame(draw) {
  if (waiting.has(draw)) return;
  waiting.set(draw, requestAnimationFrame((time) => {
    waiting.delete(draw);
    draw(time);
  }));
}

/** Fit a canvas's pixels to its place on the screen and return its context, scaled to CSS pixels, with its size. */
export function surface(canvas) {
  const ratio = Math.min(devicePixelRatio || 1, 3);
  const { clientWidth: width, clientHeight: height } = canvas;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** Call `then` when nothing has asked for it for `wait` milliseconds. */
export function later(wait, then) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => then(...given), wait);
  };
}

/** Whether a key that was pressed belongs to the control that has the focus. */
export function typing(target) {
  return target.matches?.("input:not([type=range]), textarea, select, [contenteditable]") ?? false;
}
