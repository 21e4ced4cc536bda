// Controls that shape what is there: a slider for each attribute, temperature, seed, class, tempo, chords, transposition.

import { $, clamp, make } from "./dom.js";
import { sentence, shiftText, titled } from "./words.js";

/** A slider with its name and its value as text. `text(value)` also tells a screen reader. */
export class Slider {
  constructor(place, { title, low, high, step, rest, text, input, centre = false, quiet = false }) {
    Object.assign(this, { low, high, rest, text, centre });
    this.output = make("output");
    this.range = make("input", { type: "range", min: low, max: high, step, value: rest, "aria-label": title });
    this.range.addEventListener("input", () => {
      this.paint();
      input(Number(this.range.value));
    });
    this.range.addEventListener("dblclick", () => {
      this.set(rest);
      input(rest);
    });
    const heading = make("span", { className: "head-line" }, make("span", { className: "title" }, title), this.output);
    place.append(...(quiet ? [] : [heading]), this.range);
    this.paint();
  }

  set(value) {
    if (Number(this.range.value) !== value) this.range.value = value;
    this.paint();
  }

  paint() {
    const value = Number(this.range.value);
    const share = (at) => `${(100 * clamp((at - this.low) / (this.high - this.low), 0, 1)).toFixed(1)}%`;
    const from = this.centre ? this.rest : this.low;
    this.range.style.setProperty("--from", share(Math.min(from, value)));
    this.range.style.setProperty("--to", share(Math.max(from, value)));
    this.output.textContent = this.text(value);
    this.range.setAttribute("aria-valuetext", this.text(value));
  }
}

export class Shape {
  /** `changed(fields, by)` changes the state. */
  constructor(changed) {
    this.changed = changed;
    this.attributes = new Map();
    this.temperature = new Slider($("temperature"), {
      title: "Temperature", low: 0, high: 1.5, step: 0.05, rest: 0,
      text: (value) => value.toFixed(2),
      input: (temperature) => changed({ temperature }, "temperature"),
    });
    this.tempo = new Slider($("tempo"), {
      title: "Tempo", low: 50, high: 220, step: 1, rest: 120,
      text: (value) => `${value} bpm`,
      input: (tempo) => changed({ tempo }, "tempo"),
    });
    $("seed").addEventListener("change", () => changed({ seed: clamp(Math.round(Number($("seed").value)) || 0, 0, 2 ** 31 - 1) }, "seed"));
    $("chords").addEventListener("change", () => changed({ chords: $("chords").value.trim() }, "chords"));
    this.semitones = make("output", { "aria-live": "polite" });
    const step = (by, sign, label) => {
      const button = make("button", { type: "button", "aria-label": label }, sign);
      button.addEventListener("click", () => changed({ transpose: clamp(this.state.transpose + by, -24, 24) }, "transpose"));
      return button;
    };
    $("transpose").append(
      make("span", { className: "title" }, "Transpose"), step(-1, "−", "A semitone lower"), this.semitones, step(1, "+", "A semitone higher"),
    );
  }

  build(preset) {
    this.attributes.clear();
    const parts = preset.parts.filter((part) => preset.attributes.some(({ name }) => name.startsWith(`${part}.`)));
    const groups = parts.length ? parts.map((part) => [part, `${part}.`]) : [["", ""]];
    this.tabs = groups.map(([part, prefix]) => {
      const panel = make("div", { className: "sliders" });
      const some = preset.attributes.filter(({ name }) => name.startsWith(prefix));
      panel.append(...some.map((attribute) => this.slider(attribute, attribute.name.slice(prefix.length), part)));
      const tab = make("button", { type: "button", role: "tab" }, sentence(part));
      tab.addEventListener("click", () => this.open(part));
      tab.addEventListener("keydown", (event) => this.pressTab(event, part));
      return { part, prefix, panel, tab };
    });
    const row = make("div", { className: "segments", role: "tablist", "aria-label": "The part to shape" }, ...this.tabs.map(({ tab }) => tab));
    $("shape").replaceChildren(...(parts.length ? [row] : []), ...this.tabs.map(({ panel }) => panel));
    this.open(groups[0][0]);
    $("shape").hidden = !preset.attributes.length;
    this.classes = preset.classes.map((name) => {
      const button = make("button", { type: "button" }, name);
      button.addEventListener("click", () => this.changed({ label: this.state.label === name ? "" : name }, "class"));
      return button;
    });
    $("classes").querySelector(".classes").replaceChildren(...this.classes);
    $("classes").hidden = !preset.classes.length;
    $("chords-box").hidden = !preset.chords;
    $("transpose").hidden = !Object.keys(preset.programs).length;
  }

  slider(attribute, title, part) {
    const { name, about } = attribute;
    const place = make("div", { className: "control", title: about ? sentence(about) : "" });
    const input = (value) => {
      const { [name]: _, ...shift } = this.state.shift;
      this.changed({ shift: value ? { ...shift, [name]: value } : shift }, `shift ${name}`);
    };
    const text = (value) => shiftText(value, attribute);
    const slider = new Slider(place, { title: titled(title), low: -3, high: 3, step: 0.1, rest: 0, centre: true, text, input });
    if (part) slider.range.setAttribute("aria-label", `${sentence(part)}, ${titled(title).toLowerCase()}`);
    this.attributes.set(name, slider);
    return place;
  }

  /** Show the sliders of a part. */
  open(part, focus = false) {
    for (const { part: own, panel, tab } of this.tabs) {
      panel.hidden = own !== part;
      tab.setAttribute("aria-selected", String(own === part));
      tab.tabIndex = own === part ? 0 : -1;
      if (focus && own === part) tab.focus();
    }
  }

  pressTab(event, part) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const names = this.tabs.map((tab) => tab.part);
    this.open(names[(names.indexOf(part) + by + names.length) % names.length], true);
    event.preventDefault();
  }

  setState(state) {
    this.state = state;
    for (const [name, slider] of this.attributes) slider.set(state.shift[name] ?? 0);
    const moved = Object.keys(state.shift);
    for (const { prefix, tab } of this.tabs) tab.classList.toggle("moved", moved.some((name) => name.startsWith(prefix)));
    this.temperature.set(state.temperature);
    if (state.tempo !== null) this.tempo.set(state.tempo);
    $("seed").value = state.seed;
    if (document.activeElement !== $("chords")) $("chords").value = state.chords;
    for (const button of this.classes) button.setAttribute("aria-pressed", String(button.textContent === state.label));
    $("classes").querySelector("output").textContent = state.label || "as it is";
    this.semitones.textContent = state.transpose > 0 ? `+${state.transpose}` : String(state.transpose).replace("-", "−");
  }

  /** What the music has of its own, where the state leaves it open. */
  show(point) {
    if (this.state.tempo === null && point.tempo) this.tempo.set(Math.round(point.tempo));
    $("chords").classList.remove("wrong");
  }
}
