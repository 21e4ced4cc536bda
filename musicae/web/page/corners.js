// The corners of the pad: their files and draws, and what is dropped on them.

import { $, icon, make } from "./dom.js";
import { corners as colours, css, onTheme } from "./colour.js";
import { MAP } from "./explorer.js";
import { upload } from "./net.js";
import { drawn, restores } from "./state.js";
import { shortName } from "./words.js";

const PLACES = ["left", "right", "bottom left", "bottom right"];
const PLACES4 = ["top left", "top right", "bottom left", "bottom right"];

const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] % 10_000;

const draw = () => drawn(randomSeed());

/** Whether a corner has somebody's file. */
export const isFile = (corner) => Boolean(corner) && !corner.id.includes(":");

const reads = ({ kind }) => ({ recording: "sound", photo: "picture" })[kind] ?? kind;

/** Ask for a file; null when none is chosen. */
export function chooseFile(accept = "") {
  return new Promise((resolve) => {
    const input = make("input", { type: "file", accept, hidden: true });
    const end = () => {
      input.remove();
      resolve(input.files[0] ?? null);
    };
    input.addEventListener("change", end);
    input.addEventListener("cancel", end);
    document.body.append(input); // Some browsers open no chooser for one that is on no page.
    input.click();
  });
}

export class Corners {
  /**
   * `store` has the state; `say(line)` shows a line; `failed(error)` a failure; `record(file)` takes a file for a
   * preset that restores it.
   */
  constructor(store, { say, failed, record }) {
    Object.assign(this, { store, say, failed, record });
    this.element = $("corners");
    this.files = new Map(); // id -> {file, bars}, to be sent again to a server that forgot it
    this.buttons = [];
    onTheme(() => this.paint());
    this.watchDrops();
  }

  setState({ corners }) {
    if (this.buttons.length !== corners.length) this.build(corners.length);
    const { preset } = this.store;
    corners.forEach((corner, i) => {
      const { chip, name, text, bars, again } = this.buttons[i];
      text.textContent = corner?.name ?? "drop a file";
      name.title = "Click to choose a file, or drop one here";
      name.setAttribute("aria-label", `${this.place(i)}: ${corner?.name ?? "empty"}. Choose a file`);
      chip.classList.toggle("empty", !corner);
      again.hidden = !preset.draws;
      bars.hidden = !preset.bars || !isFile(corner);
      bars.setAttribute("aria-label", `${this.place(i)}: bars of ${corner?.name}, such as 5-8`);
      if (this.buttons[i].shown === corner) return; // What is being typed stays.
      this.buttons[i].shown = corner;
      bars.value = corner?.bars ?? "";
      bars.removeAttribute("aria-invalid");
    });
    $("four").setAttribute("aria-pressed", String(corners.length === 4));
    this.paint();
  }

  place(i) {
    return `Corner ${(this.buttons.length === 4 ? PLACES4 : PLACES)[i]}`;
  }

  build(count) {
    this.buttons = Array.from({ length: count }, (_, i) => {
      const text = make("span");
      const name = make("button", { type: "button", className: "name" }, text);
      const again = make("button", { type: "button", className: "again", title: "A new draw here", "aria-label": `A new draw in corner ${i + 1}` }, icon("again"));
      const bars = make("input", { type: "text", className: "bars", placeholder: "bars", title: "Bars to read, such as 5-8", maxLength: 20, spellcheck: false, autocomplete: "off" });
      const chip = make("div", { className: "corner" }, name, bars, again);
      name.addEventListener("click", async () => {
        const file = await chooseFile();
        if (file) this.take(file, i);
      });
      again.addEventListener("click", () => this.put(i, draw(), "draw"));
      bars.addEventListener("change", () => this.reread(i, bars));
      return { chip, name, text, bars, again };
    });
    this.element.replaceChildren(...this.buttons.map(({ chip }) => chip));
  }

  paint() {
    colours().forEach((colour, i) => this.buttons[i]?.chip.style.setProperty("--corner", css(colour)));
  }

  put(i, corner, by, preset = this.store.state.preset) {
    const corners = this.store.state.corners.map((old, k) => (k === i ? corner : old));
    this.store.change({ preset, corners }, `${by} ${performance.now()}`);
  }

  /** Send a file and put it in corner `i`; a file for another kind of preset brings that preset along. */
  async take(file, i) {
    if (restores(this.store.preset)) return this.record(file);
    const most = this.store.start.limits?.upload_bytes ?? Infinity;
    if (file.size > most) return this.say(`${file.name} is too large: files up to ${Math.round(most / 1e6)} MB are read here.`);
    const chip = this.buttons[i]?.chip;
    chip?.classList.add("busy");
    try {
      await this.send(file, i);
    } catch (error) {
      this.failed(error);
    } finally {
      chip?.classList.remove("busy");
    }
  }

  async send(file, i) {
    const name = `name=${encodeURIComponent(file.name)}`;
    const { preset } = this.store.state;
    let answer;
    try {
      answer = await upload(`api/files?${name}&preset=${encodeURIComponent(preset)}`, file);
    } catch (error) {
      if (error.gone) throw error;
      // It does not fit here. Where another kind of preset takes it, that is what was meant.
      const found = await upload(`api/files?${name}`, file).catch(() => null);
      if (!found || found.preset === preset) throw error;
      answer = found;
    }
    this.files.set(answer.id, { file });
    const corner = { id: answer.id, name: shortName(answer.name ?? file.name) };
    if (answer.preset && answer.preset !== preset) this.moveTo(answer, corner, file);
    else this.put(i, corner, "file");
  }

  /** Read the file of a corner again, from the bars in its box; all of it where that is empty. */
  async reread(i, box) {
    const corner = this.store.state.corners[i];
    const bars = box.value.trim().replace("–", "-");
    if (bars === (corner.bars ?? "")) return;
    const { chip } = this.buttons[i];
    chip.classList.add("busy");
    try {
      const file = this.files.get(corner.id)?.file;
      const what = file ? `name=${encodeURIComponent(file.name)}` : `id=${encodeURIComponent(corner.id)}`;
      const answer = await upload(`api/files?${what}&${this.query(bars)}`, file);
      if (file) this.files.set(answer.id, { file, bars });
      if (this.store.state.corners[i]?.id === corner.id) this.put(i, { id: answer.id, name: corner.name, ...(bars && { bars }) }, "bars");
    } catch (error) {
      box.setAttribute("aria-invalid", "true");
      this.failed(error);
    } finally {
      chip.classList.remove("busy");
    }
  }

  query(bars) {
    return `preset=${encodeURIComponent(this.store.state.preset)}&bars=${encodeURIComponent(bars ?? "")}`;
  }

  moveTo({ preset, kind }, corner, file) {
    if (restores({ kind })) {
      this.store.change({ preset, recording: null, corners: [] }, "file");
      this.record(file);
      return;
    }
    const other = this.store.start.presets.find(({ name }) => name === preset)?.draws ? draw() : null;
    this.store.change({ preset, corners: [corner, other], label: "", x: 0.5, y: 0.5 }, `file ${performance.now()}`);
    this.say(`${file.name} is for ${preset}, which is shown now.`);
  }

  /** Send all files again. The server knows them by what is in them, so their names in the address stay good. */
  async sendAgain() {
    const ids = new Set(this.store.state.corners.map((corner) => corner?.id));
    const sent = [...this.files].filter(([id]) => ids.has(id));
    for (const [, { file, bars }] of sent) await upload(`api/files?name=${encodeURIComponent(file.name)}&${this.query(bars)}`, file);
    return sent.length > 0;
  }

  /** The corners for another preset: files stay where they are of a kind that it reads, draws are made anew. */
  forPreset(next, old) {
    const same = reads(next) === reads(old);
    const { corners } = this.store.state;
    if (restores(next)) return same ? corners : [];
    if (next.map && !(same && corners.some(isFile))) return MAP;
    return (corners.length > 1 ? corners : [corners[0], null]).map((corner) => (same && isFile(corner) ? corner : next.draws ? draw() : null));
  }

  /** New draws for all corners that are draws; if none is, two more corners with draws. */
  renew() {
    const { state, preset } = this.store;
    const fields = { seed: randomSeed() };
    if (preset.draws) {
      if (!state.corners.every(isFile)) {
        fields.corners = state.corners.map((corner) => (isFile(corner) ? corner : draw()));
      } else if (state.corners.length === 2) {
        fields.corners = [...state.corners, draw(), draw()];
      } else if (!state.temperature) {
        fields.temperature = 0.7; // Four own files: what can be new is how they are played.
      }
    }
    this.store.change(fields, `new ${performance.now()}`);
  }

  toggleFour() {
    const { state, preset } = this.store;
    const more = () => (preset.draws ? draw() : null);
    const corners = state.corners.length === 4 ? state.corners.slice(0, 2) : [...state.corners, more(), more()];
    this.store.change({ corners, y: 0.5 }, `four ${performance.now()}`);
  }

  watchDrops() {
    let inside = 0;
    const files = (event) => event.dataTransfer?.types.includes("Files");
    const end = () => {
      inside = 0;
      document.body.classList.remove("dropping");
      this.mark(-1);
    };
    addEventListener("dragenter", (event) => {
      if (!files(event)) return;
      inside += 1;
      document.body.classList.add("dropping");
    });
    addEventListener("dragleave", () => (inside -= 1) > 0 || end());
    addEventListener("dragover", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      this.mark(this.under(event));
    });
    addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      const corner = this.under(event);
      const dropped = [...event.dataTransfer.files];
      end();
      this.takeAll(dropped, corner);
    });
  }

  async takeAll(files, corner) {
    const places = [corner, ...this.buttons.keys()].filter((i, k, all) => all.indexOf(i) === k);
    for (const [k, file] of files.slice(0, 4).entries()) {
      if (k >= this.buttons.length && this.buttons.length === 2) this.toggleFour();
      await this.take(file, places[k] ?? k);
    }
    if (files.length > 4) this.say("The pad has four corners; the first four files are on it.");
  }

  mark(which) {
    this.buttons.forEach(({ chip }, i) => chip.classList.toggle("over", i === which));
  }

  /** The corner that a drop would go to: the nearest; away from the pad, the first that is no own file. */
  under(event) {
    const box = $("field").getBoundingClientRect();
    const out = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
    if (out || !box.width) return Math.max(0, this.store.state.corners.findIndex((corner) => !isFile(corner)));
    const right = event.clientX > box.left + box.width / 2 ? 1 : 0;
    const below = this.buttons.length === 4 && event.clientY > box.top + box.height / 2 ? 2 : 0;
    return right + below;
  }
}
