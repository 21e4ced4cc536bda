// The lanes: a roll for each part with its switches, and the playhead over all of them.

import { calm, icon, make, nextFrame } from "./dom.js";
import { ofPart, onTheme, css } from "./colour.js";
import { partsOf } from "./state.js";
import { Range, drawRoll } from "./roll.js";
import { pitchName, sentence } from "./words.js";

const BLEND = 140; // milliseconds in which new notes replace old ones
const FAMILIES = [
  "Piano", "Chromatic percussion", "Organ", "Guitar", "Bass", "Strings", "Ensemble", "Brass", "Reed", "Pipe",
  "Synth lead", "Synth pad", "Synth effects", "World", "Percussion", "Sound effects",
];

export class Lanes {
  /** `changed(fields, by)` changes the state, `seek(beat)` goes to a beat; `colour()` is that of the point. */
  constructor(element, chordRow, { instruments, changed, seek, colour }) {
    Object.assign(this, { element, chordRow, instruments, changed, seek, colour });
    this.lanes = new Map();
    this.point = null;
    this.step = -1;
    this.draw = this.draw.bind(this);
    this.resizes = new ResizeObserver(() => nextFrame(this.draw));
    onTheme(() => nextFrame(this.draw));
  }

  /** Set up the lanes of a preset. */
  build(preset) {
    this.preset = preset;
    this.resizes.disconnect();
    this.lanes.clear();
    this.element.replaceChildren();
    this.point = null;
    partsOf(preset).forEach((part, i) => this.element.append(this.lane(part, i, preset)));
    this.element.classList.toggle("single", preset.parts.length < 2);
  }

  lane(part, index, preset) {
    const several = preset.parts.length > 1;
    const name = sentence(part || preset.suggested || "line");
    const canvas = make("canvas", { role: "img" });
    const head = make("div", { className: "playhead", hidden: true });
    const roll = make("div", { className: "roll" }, canvas, make("div", { className: "track" }, head));
    const lane = { part, index, canvas, head, notes: [], before: [], since: 0, range: null, switches: {} };
    roll.addEventListener("pointerdown", (event) => {
      if (!this.point || event.button) return;
      const box = head.parentElement.getBoundingClientRect();
      const share = Math.max(0, (event.clientX - box.left) / box.width);
      this.seek(share * (this.point.length / this.point.steps_per_beat));
    });
    const element = make("div", { className: "lane" }, this.heading(lane, name, several), roll);
    lane.element = element;
    this.resizes.observe(roll);
    this.lanes.set(part, lane);
    return element;
  }

  heading(lane, name, several) {
    const { part } = lane;
    const heading = make("div", { className: "head" }, make("span", { className: "name" }, several ? name : ""));
    if (several) {
      const row = make("div", { className: "switches" });
      const kinds = [["mute", "M", `Mute ${part}`], ["solo", "S", `Solo ${part}`], ["lock", "", `Keep the ${part} of the first corner`]];
      for (const [kind, letter, label] of kinds) {
        const button = make("button", { type: "button", className: `switch ${kind}`, title: label, "aria-label": label, "aria-pressed": "false" });
        button.append(kind === "lock" ? icon("lock") : letter);
        button.addEventListener("click", () => this.toggle(kind, part));
        lane.switches[kind] = button;
        row.append(button);
      }
      heading.append(row);
    }
    heading.append((lane.select = this.instrument(part, name)));
    return heading;
  }

  instrument(part, name) {
    const select = make("select", { className: "instrument", "aria-label": `Instrument${part ? ` of ${name.toLowerCase()}` : ""}` });
    select.append(make("option", { value: "" }, "as written"));
    FAMILIES.forEach((family, i) => {
      const group = make("optgroup", { label: family });
      this.instruments.slice(8 * i, 8 * i + 8).forEach((title, k) => group.append(make("option", { value: 8 * i + k }, title)));
      if (group.children.length) select.append(group);
    });
    select.addEventListener("change", () => {
      const { [part]: _, ...programs } = this.state.programs;
      if (select.value !== "") programs[part] = Number(select.value);
      this.changed({ programs }, `program ${part}`);
    });
    return select;
  }

  toggle(kind, part) {
    const list = this.state[kind];
    const next = list.includes(part) ? list.filter((other) => other !== part) : [...list, part];
    this.changed({ [kind]: next }, `${kind} ${part}`);
  }

  /** Bring switches and instruments up to the state. */
  setState(state) {
    this.state = state;
    const levels = this.levels();
    for (const [part, lane] of this.lanes) {
      for (const [kind, button] of Object.entries(lane.switches)) button.setAttribute("aria-pressed", String(state[kind].includes(part)));
      lane.select.value = state.programs[part] ?? "";
      lane.element.classList.toggle("silent", !levels[part]);
    }
    // The notes are drawn when they come; until then only one part alone has the colour of the point.
    const key = JSON.stringify(levels);
    if (key !== this.drawnLevels || this.lanes.size === 1) nextFrame(this.draw);
    this.drawnLevels = key;
  }

  /** How loud each part is: solo wins over mute. */
  levels() {
    const { solo, mute } = this.state;
    const on = (part) => (solo.length ? solo.includes(part) : !mute.includes(part));
    return Object.fromEntries([...this.lanes.keys()].map((part) => [part, on(part) ? 1 : 0]));
  }

  show(point) {
    this.point = point;
    this.grid = { length: point.length, perBeat: point.steps_per_beat, perBar: point.beats_per_bar };
    const now = performance.now();
    for (const [part, lane] of this.lanes) {
      const roll = point.rolls.find((other) => other.part === part) ?? (this.lanes.size === 1 ? point.rolls[0] : null);
      const notes = roll?.notes ?? [];
      [lane.before, lane.notes, lane.since] = [lane.notes, notes, now];
      lane.range ??= new Range(roll?.drums ? roll.lanes : []);
      lane.range.see(notes);
      lane.select.hidden = Boolean(roll?.drums);
      const own = this.instruments[point.programs?.[part]];
      lane.select.options[0].textContent = own && !(part in this.state.programs) ? own : "as written";
      lane.canvas.setAttribute("aria-label", describe(part, notes, lane.range.drums));
    }
    this.writeChords(point);
    nextFrame(this.draw);
  }

  /** Let the rolls choose their pitches anew: other corners are shown. */
  forget() {
    for (const lane of this.lanes.values()) lane.range = null;
  }

  writeChords({ chords, length }) {
    this.chordRow.hidden = !chords?.length;
    if (!chords?.length) return;
    this.chordRow.replaceChildren(
      ...chords.map(([step, name], i) => {
        const chord = make("span", {}, name);
        chord.style.left = `${(100 * step) / length}%`;
        chord.style.width = `${(100 * ((chords[i + 1]?.[0] ?? length) - step)) / length}%`;
        return chord;
      }),
    );
  }

  /** Put the playhead at a beat, or away. */
  playhead(beat) {
    if (!this.point) return;
    const shown = beat !== null;
    const step = shown ? Math.floor(beat * this.point.steps_per_beat) : -1;
    const share = shown ? (beat * this.point.steps_per_beat) / this.point.length : 0;
    for (const lane of this.lanes.values()) {
      lane.head.hidden = !shown;
      if (shown) lane.head.style.transform = `translateX(${(share * 100).toFixed(3)}%)`;
    }
    if (step !== this.step) {
      this.step = step;
      nextFrame(this.draw);
    }
  }

  /** How much room there is at the left of all rolls for the names of pitches and drums: on a phone, none but for drums alone. */
  gutter() {
    const lanes = [...this.lanes.values()];
    const narrow = lanes[0].canvas.clientWidth < 480;
    const drums = lanes.some(({ range }) => range?.drums);
    const gutter = narrow ? (drums && lanes.length === 1 ? 84 : 0) : drums ? (lanes.length === 1 ? 96 : 82) : 34;
    this.element.parentElement.style.setProperty("--gutter", `${gutter}px`);
    return gutter;
  }

  draw(time = performance.now()) {
    if (!this.point) return;
    const levels = this.levels();
    const gutter = this.gutter();
    for (const [part, lane] of this.lanes) {
      if (!lane.range) continue;
      const blend = calm() ? 1 : Math.min(1, Math.max(0, (time - lane.since) / BLEND));
      const colour = this.lanes.size === 1 ? this.colour() : ofPart(part, lane.index);
      lane.element.style.setProperty("--part", css(colour));
      drawRoll(lane.canvas, { ...lane, blend, gutter, grid: this.grid, colour, step: this.step, faint: !levels[part] });
      if (blend < 1) nextFrame(this.draw);
    }
  }
}

function describe(part, notes, drums) {
  const count = `${part ? `${sentence(part)}: ` : ""}${notes.length} ${drums ? "hits" : "notes"}`;
  if (!notes.length || drums) return count;
  const pitches = notes.map((note) => note[2]);
  return `${count}, ${pitchName(Math.min(...pitches))} to ${pitchName(Math.max(...pitches))}`;
}
