// What is shown, as one plain object: kept in the address, with undo and redo.

import { clamp, later } from "./dom.js";

export const blank = () => ({
  preset: "",
  corners: [], // {id, name, bars}; null where a corner waits for a file, no bars where all of it is read
  x: 0.5,
  y: 0.5,
  temperature: 0,
  seed: 0,
  shift: {},
  chords: "",
  label: "", // the class of all corners; empty where each has its own
  lock: [],
  tempo: null,
  programs: {},
  transpose: 0,
  mute: [],
  solo: [],
  recording: null, // {before, after, name}: a recording or a photo that was restored, this with its size
});

const copy = (value) => JSON.parse(JSON.stringify(value));
const number = (value) => String(Math.round(value * 1000) / 1000);

/** A corner that is drawn from the prior. */
export const drawn = (seed) => ({ id: `draw:${seed}`, name: `draw ${seed}` });

/** The state as an address's fragment, without the #. */
export function encode(state) {
  const fields = new URLSearchParams({ preset: state.preset, x: number(state.x) });
  if (state.corners.length === 4) fields.set("y", number(state.y));
  for (const corner of state.corners) fields.append("corner", corner ? `${corner.id} ${corner.name}` : "");
  if (state.corners.some((corner) => corner?.bars)) for (const corner of state.corners) fields.append("bars", corner?.bars ?? "");
  if (state.temperature) fields.set("temperature", number(state.temperature));
  if (state.seed) fields.set("seed", state.seed);
  for (const [name, value] of Object.entries(state.shift)) if (value) fields.append("shift", `${name} ${number(value)}`);
  if (state.chords) fields.set("chords", state.chords);
  if (state.label) fields.set("label", state.label);
  if (state.tempo !== null) fields.set("tempo", number(state.tempo));
  if (state.transpose) fields.set("transpose", state.transpose);
  for (const [part, program] of Object.entries(state.programs)) fields.append("program", `${part} ${program}`);
  for (const list of ["lock", "mute", "solo"]) for (const part of state[list]) fields.append(list, part);
  if (state.recording) fields.set("recording", `${state.recording.before} ${state.recording.after} ${state.recording.name}`);
  if (state.recording?.size) fields.set("size", state.recording.size);
  return fields.toString();
}

/**
 * The state that a fragment holds. Whatever is missing, unknown or out of range is as in `start`, the server's answer
 * about its presets: an address may be cut short or made up.
 */
export function decode(fragment, start) {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = blank();
  const preset = start.presets.find(({ name }) => name === fields.get("preset"));
  const own = preset ?? start.presets.find(({ name }) => name === start.start.preset) ?? start.presets[0];
  state.preset = own.name;
  if (!preset || preset.name === start.start.preset) state.corners = copy(start.start.corners);
  if (!preset) return state;
  if (!state.corners.length && own.draws) state.corners = [drawn(1), drawn(2)];
  const bars = own.bars ? fields.getAll("bars") : [];
  const corners = fields.getAll("corner").map((text, i) => readCorner(text, bars[i]));
  const counts = restores(own) ? [1, 2, 4] : [2, 4];
  if (counts.includes(corners.length)) state.corners = corners;
  state.x = read(fields, "x", 0.5, 0, 1);
  state.y = read(fields, "y", 0.5, 0, 1);
  state.temperature = read(fields, "temperature", 0, 0, 2);
  state.seed = Math.round(read(fields, "seed", 0, 0, 2 ** 31 - 1));
  if (own.chords) state.chords = (fields.get("chords") ?? "").slice(0, 400);
  if (own.classes.includes(fields.get("label"))) state.label = fields.get("label");
  state.transpose = Math.round(read(fields, "transpose", 0, -24, 24));
  if (fields.has("tempo")) state.tempo = read(fields, "tempo", 120, 30, 300);
  const attributes = own.attributes.map(({ name }) => name);
  for (const [name, value] of pairs(fields, "shift")) if (attributes.includes(name)) state.shift[name] = clamp(value, -3, 3);
  const parts = partsOf(own);
  for (const [part, value] of pairs(fields, "program")) {
    if (parts.includes(part)) state.programs[part] = clamp(Math.round(value), 0, 127);
  }
  for (const list of ["lock", "mute", "solo"]) {
    state[list] = [...new Set(fields.getAll(list))].filter((part) => parts.includes(part));
  }
  const recording = /^([\w-]{1,100}) ([\w-]{1,100}) (.{1,80})$/.exec(fields.get("recording") ?? "");
  if (recording && restores(own)) state.recording = { before: recording[1], after: recording[2], name: recording[3] };
  const size = /^\d{1,6} × \d{1,6}$/.exec(fields.get("size") ?? "");
  if (size && state.recording) state.recording.size = size[0];
  return state;
}

/** Whether a preset restores one file, which is shown before and after. */
export const restores = ({ kind }) => kind === "recording" || kind === "photo";

/** The parts of a preset as the page names them; a single line is the part "". */
export const partsOf = (preset) => (preset.parts.length ? preset.parts : [""]);

function readCorner(text, bars) {
  const cut = text.indexOf(" ");
  const id = cut < 0 ? text : text.slice(0, cut);
  if (!/^[\w:.,+-]{1,100}$/.test(id)) return null;
  const corner = { id, name: (cut < 0 ? id : text.slice(cut + 1)).slice(0, 80) };
  return bars ? { ...corner, bars: bars.slice(0, 20) } : corner;
}

function read(fields, name, fallback, low, high) {
  const value = Number.parseFloat(fields.get(name) ?? "");
  return Number.isFinite(value) ? clamp(value, low, high) : fallback;
}

function* pairs(fields, name) {
  for (const text of fields.getAll(name)) {
    const cut = text.lastIndexOf(" ");
    const value = Number.parseFloat(text.slice(cut + 1));
    if (Number.isFinite(value)) yield [text.slice(0, Math.max(cut, 0)), value];
  }
}

/** The state now, those before it, and who wants to know of changes. */
export class Store {
  constructor(start) {
    this.start = start;
    this.state = decode(location.hash, start);
    this.past = [];
    this.future = [];
    this.listeners = [];
    this.kept = copy(this.state);
    this.keptBy = "";
    this.keptAt = 0;
    this.write = later(150, () => history.replaceState(null, "", `#${encode(this.state)}`));
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== encode(this.state)) this.replace(decode(location.hash, start), "address");
    });
  }

  get preset() {
    return this.start.presets.find(({ name }) => name === this.state.preset);
  }

  listen(then) {
    this.listeners.push(then);
  }

  /** Change some fields. `by` names the control: what it does within a second, or in one drag, is one step to undo. */
  change(fields, by) {
    const before = this.state;
    this.state = { ...before, ...fields };
    this.keep(by);
    this.tell(before, by);
  }

  replace(state, by) {
    this.change(copy(state), by);
  }

  keep(by) {
    const now = performance.now();
    if (by !== this.keptBy || now - this.keptAt > 1000) {
      this.past.push(this.kept);
      if (this.past.length > 200) this.past.shift();
    }
    this.future = [];
    [this.kept, this.keptBy, this.keptAt] = [copy(this.state), by, now];
  }

  undo() {
    this.go(this.past, this.future);
  }

  redo() {
    this.go(this.future, this.past);
  }

  go(from, to) {
    if (!from.length) return;
    const before = this.state;
    to.push(this.kept);
    this.kept = from.pop();
    this.keptBy = "";
    this.state = copy(this.kept);
    this.tell(before, "history");
  }

  tell(before, by) {
    this.write();
    for (const then of this.listeners) then(this.state, before, by);
  }
}
