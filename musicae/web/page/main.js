// The page: what is asked for when the state changes, and what is done with the answers.

import { $, later, make, nextFrame, typing } from "./dom.js";
import { Corners, isFile } from "./corners.js";
import { Explorer, isMap, mapId } from "./explorer.js";
import { Health, Latest, getJson, postJson } from "./net.js";
import { Lanes } from "./lanes.js";
import { Pad } from "./pad.js";
import { Player } from "./sound.js";
import { Previews } from "./previews.js";
import { Restore } from "./restore.js";
import { Saving } from "./saving.js";
import { Shape, Slider } from "./shape.js";
import { Store, restores } from "./state.js";
import { Picture, Wave } from "./views.js";
import { amount, changes, full, place, sentence, shortName } from "./words.js";

/** The player, for whoever wants to measure what is heard. */
export let player = null;

class Page {
  constructor(start) {
    this.store = new Store(start);
    this.point = null;
    const say = (line) => this.say(line);
    const failed = (error) => this.failed(error);
    const changed = (fields, by) => this.store.change(fields, by);
    player = this.player = new Player({ failed, changed: () => this.playing() });
    this.pad = new Pad($("pad"), $("pad-canvas"), (x, y, more) => this.move(x, y, more));
    this.previews = new Previews(this.pad);
    const colour = () => this.pad.colour();
    this.lanes = new Lanes($("lanes"), $("chord-row"), {
      instruments: start.instruments, changed, colour, seek: (beat) => this.player.seek(beat),
    });
    this.picture = new Picture($("picture-canvas"));
    this.wave = new Wave($("wave-canvas"), colour);
    this.shape = new Shape(changed);
    this.restore = new Restore(this.store, this.player, { say, failed, restored: (it) => this.saving.build(this.store.preset, it) });
    this.corners = new Corners(this.store, { say, failed, record: (file) => this.restore.take(file) });
    this.saving = new Saving({ body: () => this.body(), say, failed });
    this.explorer = new Explorer(this.store, this.pad, (x, y) => this.move(x, y, true));
    this.points = new Latest((body, signal) => postJson("api/point", body, signal), (point, body) => this.show(point, body), failed);
    this.exactly = later(300, (body) => this.ask({ ...body, exact: true }));
    this.speak = later(500, (text) => ($("live").textContent = text));
    this.follow = this.follow.bind(this);
    this.health = new Health((there) => this.serverIs(there));
    this.fillPresets(start);
    this.wire();
    this.store.listen((state, before) => this.update(state, before));
    this.update(this.store.state, null);
    document.body.classList.remove("starting");
  }

  fillPresets({ presets }) {
    for (const [kind, label] of [["notes", "Music"], ["sound", "Sounds"], ["picture", "Pictures"], ["recording", "Recordings"], ["photo", "Photos"]]) {
      const some = presets.filter((preset) => preset.kind === kind);
      const options = some.map(({ name, description }) => make("option", { value: name, title: description ?? "" }, name));
      if (options.length) $("preset").append(make("optgroup", { label }, ...options));
    }
    $("preset").addEventListener("change", () => this.changePreset($("preset").value));
  }

  changePreset(name) {
    const { start, preset: old } = this.store;
    const next = start.presets.find((preset) => preset.name === name);
    const fields = { preset: name, shift: {}, programs: {}, lock: [], label: "", mute: [], solo: [], recording: null };
    if (!next.chords) fields.chords = "";
    fields.corners = this.corners.forPreset(next, old);
    this.hush();
    this.store.change(fields, `preset ${name}`);
  }

  wire() {
    $("undo").addEventListener("click", () => this.store.undo());
    $("redo").addEventListener("click", () => this.store.redo());
    $("new").addEventListener("click", () => this.corners.renew());
    $("four").addEventListener("click", () => this.corners.toggleFour());
    $("play").addEventListener("click", () => this.player.toggle());
    $("wave").addEventListener("click", () => this.player.strike());
    $("line").querySelector("button").addEventListener("click", () => ($("line").hidden = true));
    const kept = Number.parseFloat(localStorage.getItem("volume") ?? "");
    this.volume = new Slider($("volume"), {
      title: "Volume", low: 0, high: 1, step: 0.02, rest: 0.8, quiet: true,
      text: (value) => `${Math.round(100 * value)} %`,
      input: (value) => {
        this.player.setVolume(value);
        localStorage.setItem("volume", value);
      },
    });
    if (kept >= 0 && kept <= 1) this.volume.set(kept);
    this.player.setVolume(Number(this.volume.range.value));
    addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (typing(event.target)) return;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && key === "z") event.shiftKey ? this.store.redo() : this.store.undo();
    else if (command && key === "y") this.store.redo();
    else if (event.key === " " && !event.target.closest("button, summary, [role=button]")) this.player.toggle();
    else return;
    event.preventDefault();
  }

  move(x, y, more) {
    this.store.change({ x, y }, "pad");
    if (!more && this.store.preset.kind === "sound") this.strikeNext = true;
  }

  /** The body of the requests for the point that is shown; corners that wait for a file are those that are there. */
  body() {
    const { preset, corners, x, y, temperature, seed, shift, chords, lock, label, tempo, programs, transpose } = this.store.state;
    const there = corners.filter(Boolean);
    if (!there.length) return null;
    const rest = { temperature, seed, shift, chords, lock, label, tempo, programs, transpose };
    if (isMap(corners)) return { preset, corners: [mapId(x, y), mapId(x, y)], x: 0, y: 0, ...rest };
    const ids = corners.map((corner, i) => (corner ?? corners[i ^ 1] ?? there[0]).id);
    return { preset, corners: ids, x, y: ids.length === 2 ? 0 : y, ...rest };
  }

  ask(body) {
    $("what").setAttribute("aria-busy", "true");
    const key = JSON.stringify(body);
    if (this.points.busy && !this.points.next && key === this.asked) return; // A click moves the point twice, to one place.
    this.asked = key;
    this.points.ask(body);
  }

  update(state, before) {
    const { preset } = this.store;
    if (state.preset !== before?.preset) this.open(preset);
    $("undo").disabled = !this.store.past.length;
    $("redo").disabled = !this.store.future.length;
    this.corners.setState(state);
    this.shape.setState(state);
    this.restore.setState(state);
    if (restores(preset)) {
      if (state.preset !== before?.preset) this.restore.begin(state);
      return;
    }
    const body = this.body();
    if (JSON.stringify(state.corners) !== JSON.stringify(before?.corners)) this.lanes.forget();
    this.pad.element.classList.toggle("flat", state.corners.length === 2);
    this.pad.set({ count: state.corners.length, x: state.x, y: state.corners.length === 2 ? 0.5 : state.y, off: !body });
    this.lanes.setState(state);
    this.player.setLevels(this.lanes.levels());
    this.explorer.setState(state);
    this.caption();
    if (!body) {
      $("what").setAttribute("aria-busy", "false");
      return;
    }
    this.ask(body);
    // While the hand moves, shifts are found coarsely.
    if (Object.keys(state.shift).length) this.exactly(body);
  }

  open(preset) {
    document.title = `${preset.name} · musicae`;
    document.body.className = `kind-${preset.kind} ${restores(preset) ? "restores" : ""}`;
    $("preset").value = preset.name;
    $("lanes").hidden = preset.kind !== "notes";
    $("picture").hidden = preset.kind !== "picture";
    $("wave").hidden = preset.kind !== "sound";
    $("restore").hidden = !restores(preset);
    this.restore.open(preset);
    $("counter").textContent = "";
    this.point = null;
    this.points.drop();
    this.player.clear();
    this.lanes.build(preset);
    this.lanes.setState(this.store.state);
    this.shape.build(preset);
    this.saving.build(preset, this.store.state.recording);
    this.explorer.open(preset);
  }

  show(point, { exact, ...body }) {
    if (body.preset !== this.store.state.preset) return;
    if (exact && JSON.stringify(body) !== JSON.stringify(this.body())) return; // The hand has moved on.
    this.point = point;
    $("what").setAttribute("aria-busy", String(this.points.next !== null));
    this.health.set(true);
    if (this.troubled) this.hush();
    if (point.rolls) {
      this.lanes.show(point);
      const bars = Math.ceil(point.length / point.steps_per_beat / point.beats_per_bar);
      if (!this.player.engine?.loop) $("counter").textContent = bars === 1 ? "1 bar" : `${bars} bars`;
    }
    if (point.picture) this.picture.show(point.picture.png);
    if (point.wave) this.wave.show(point.wave, point.spectrogram?.png);
    this.shape.show(point);
    this.explorer.show(point);
    this.previews.setBody(body);
    this.caption();
    this.hear(point, body, exact);
    const hint = this.store.state.corners.some(isFile) ? "" : "Drop your own files on the pad, or click a name to choose one.";
    $("notice").textContent = $("notice").title = [...changes(point.changes, exact), ...point.notices.map(full)].join(" ") || hint;
    this.speak(this.pad.element.getAttribute("aria-valuetext"));
  }

  hear(point, body, exact) {
    if (point.picture) return;
    const { parts } = this.store.preset;
    const sounding = point.wave ? [""] : parts.filter((part) => point.rolls.some((roll) => roll.part === part && roll.notes.length));
    const beats = point.wave ? 1 : point.length / point.steps_per_beat;
    this.player.show({ body, parts: sounding.length ? sounding : [parts[0] ?? ""], beats, once: Boolean(point.wave), exact });
    if (this.strikeNext && point.wave) this.player.strike();
    this.strikeNext = false;
  }

  names() {
    const { corners } = this.store.state;
    const same = ({ name }) => corners.filter((corner) => corner?.name === name).length > 1;
    return corners.map((corner) => (corner ? (corner.bars && same(corner) ? `${corner.name} (${corner.bars})` : corner.name) : "nothing yet"));
  }

  caption() {
    const { corners, x, y } = this.store.state;
    const empty = !corners.some(Boolean);
    const onMap = `on the map, ${Math.round(100 * x)} % across and ${Math.round(100 * y)} % down`;
    const text = empty ? "Drop a file on each corner" : isMap(corners) ? onMap : place(this.names(), x, y);
    $("place").textContent = sentence(text);
    const facts = this.point ? [amount(this.point), ...this.unlike()].filter(Boolean) : [];
    $("facts").textContent = sentence(facts.join(" · "));
    const { element } = this.pad;
    element.setAttribute("aria-valuetext", [text, this.point && amount(this.point)].filter(Boolean).join("; "));
    element.setAttribute("aria-valuenow", String(Math.round(100 * x)));
  }

  /** How far it is from the corners, in words. */
  unlike() {
    const { distances } = this.point;
    const names = this.names();
    if (distances?.length !== names.length) return [];
    if (names.length === 4) return [`most like ${names[distances.indexOf(Math.min(...distances))]}`];
    return [distances.map((distance, i) => `${Math.round(100 * distance)} % unlike ${names[i]}`).join(", ")];
  }

  playing() {
    const { playing } = this.player;
    const button = $("play");
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
    button.querySelector("use").setAttribute("href", playing ? "#i-pause" : "#i-play");
    nextFrame(this.follow);
  }

  /** Follow what is heard, frame by frame. */
  follow() {
    const { kind } = this.store.preset;
    const { playing, engine } = this.player;
    if (kind === "recording") this.restore.tick();
    else if (kind === "sound") this.wave.playhead(engine?.playing ? this.player.beat : 0);
    else if (this.point?.rolls && engine?.loop) this.followBeat(this.player.beat);
    if (playing) nextFrame(this.follow);
  }

  followBeat(beat) {
    const { beats_per_bar: perBar } = this.point;
    this.lanes.playhead(beat);
    const whole = Math.floor(beat);
    if (whole === this.whole) return;
    this.whole = whole;
    $("counter").textContent = `bar ${Math.floor(whole / perBar) + 1}, beat ${(whole % perBar) + 1}`;
    if (this.player.playing) this.pad.beat();
  }

  say(line) {
    this.troubled = false;
    $("line").hidden = false;
    $("line").querySelector("p").textContent = line;
    clearTimeout(this.hushing);
    this.hushing = setTimeout(() => this.hush(), 9000);
  }

  hush() {
    this.troubled = false;
    $("line").hidden = true;
  }

  failed(error) {
    $("what").setAttribute("aria-busy", "false");
    if (error.gone) {
      this.health.set(false);
      return;
    }
    if (error.status === 404 && this.corners.files.size) this.resend(error);
    else this.complain(error.message || "Something went wrong.");
  }

  complain(line) {
    this.say(line);
    this.troubled = true;
    clearTimeout(this.hushing);
  }

  /** The server was started anew and has forgotten the files: send them again, once. */
  async resend(error) {
    const now = performance.now();
    if (now - (this.resent ?? -Infinity) < 5000) return this.complain(error.message);
    this.resent = now;
    try {
      if (await this.corners.sendAgain()) this.ask(this.body());
      else this.complain(error.message);
    } catch (again) {
      this.failed(again);
    }
  }

  serverIs(there) {
    document.body.classList.toggle("away", !there);
    if (!there) {
      this.complain("The server does not answer. Is musicae play still running? This goes on when it is back.");
      return;
    }
    this.hush();
    const body = this.body();
    if (body && !restores(this.store.preset)) this.ask(body);
  }
}

try {
  const start = await getJson("api/start");
  for (const corner of start.start.corners) corner.name = shortName(corner.name);
  new Page(start);
} catch (error) {
  document.body.classList.remove("starting");
  $("line").hidden = false;
  $("line").querySelector("p").textContent = error.message;
  throw error;
}
