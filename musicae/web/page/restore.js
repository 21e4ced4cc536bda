// A recording or a photo before and after. Recordings are heard in turns without a stop, above both spectrograms.

import { $, nextFrame } from "./dom.js";
import { chooseFile, isFile } from "./corners.js";
import { ask, follow } from "./net.js";
import { PhotoPair } from "./photos.js";
import { restores } from "./state.js";
import { clock, shortName } from "./words.js";

const SIDES = ["before", "after"];
const ACCEPTED = { recording: "audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff,.m4a", photo: "image/*" };

export class Restore {
  /** `player` has the audio context; `store` the state; `say(line)` and `failed(error)` speak. */
  constructor(store, player, { say, failed, restored }) {
    Object.assign(this, { store, player, say, failed, restored });
    this.shown = "";
    this.heard = "after";
    this.drop = $("restore-drop");
    this.photos = new PhotoPair({ divided: (share) => this.check({ 0: "after", 1: "before" }[share]), lost: () => this.shown && this.lost() });
    const choose = async () => {
      const file = await chooseFile(ACCEPTED[this.store.preset.kind]);
      if (file) this.take(file);
    };
    this.drop.addEventListener("click", choose);
    $("restore-other").addEventListener("click", choose);
    for (const side of SIDES) {
      $(side).addEventListener("click", () => this.choose(side));
      $(side).addEventListener("keydown", (event) => {
        if (event.key.startsWith("Arrow")) this.choose(side === "after" ? "before" : "after", true);
      });
      $(`${side}-figure`).addEventListener("pointerdown", (event) => {
        const box = event.currentTarget.getBoundingClientRect();
        this.choose(side);
        this.seek((event.clientX - box.left) / box.width);
      });
      $(`${side}-picture`).addEventListener("error", () => this.shown && this.lost());
    }
    this.tick = this.tick.bind(this);
  }

  /** Make ready for what a preset restores. */
  open(preset) {
    this.working?.abort();
    if (!restores(preset)) return;
    const photo = preset.kind === "photo";
    $("stage").hidden = !photo;
    for (const side of SIDES) $(`${side}-figure`).hidden = photo;
    $("restore-other").textContent = `Another ${preset.kind}`;
    this.busy(false);
  }

  async take(file) {
    const most = this.store.start.limits?.upload_bytes ?? Infinity;
    if (file.size > most) return this.say(`${file.name} is too large: files up to ${Math.round(most / 1e6)} MB are read here.`);
    await this.ask(`name=${encodeURIComponent(file.name)}`, file.name, file);
  }

  /** Restore a file that the server has: the one that it was started with, or that another preset restored. */
  begin({ corners, recording }) {
    const [corner] = corners;
    if (recording || !isFile(corner)) return;
    this.ask(`id=${encodeURIComponent(corner.id)}`, corner.name);
  }

  async ask(query, name, file) {
    this.working?.abort(); // The server stops what nobody waits for.
    const mine = (this.working = new AbortController());
    this.busy(true);
    const { preset } = this.store.state;
    try {
      const { id, before, after, size, notices } = await follow(`api/restore?${query}&preset=${encodeURIComponent(preset)}`, file, mine.signal, ({ share }) => this.progress(share));
      if (this.store.state.preset !== preset) return;
      const called = name.slice(0, 80);
      const recording = { before, after, name: called, ...(size && { size: size.join(" × ") }) };
      const fields = { recording, corners: [{ id, name: shortName(called) }] };
      this.store.change(fields, `recording ${performance.now()}`);
      if (notices?.length) this.say(notices[0]);
    } catch (error) {
      if (error.name !== "AbortError") this.failed(error);
    } finally {
      if (this.working === mine) {
        this.working = null;
        this.busy(false);
      }
    }
  }

  /** Show how much is done, on the place to drop, or beside what is shown already. */
  progress(share) {
    if (share === undefined) return;
    const text = `Working on it… ${Math.round(100 * share)} %`;
    this.drop.querySelector("strong").textContent = text;
    if (this.store.state.recording) $("recording-facts").textContent = text;
  }

  busy(on) {
    this.drop.classList.toggle("busy", on);
    this.drop.querySelector("strong").textContent = on ? "Working on it…" : `Drop a ${this.store.preset.kind} here`;
    this.drop.querySelector("span").hidden = on;
    this.drop.setAttribute("aria-busy", String(on));
    if (this.store.state.recording) this.facts(this.store.state.recording);
  }

  setState({ recording }) {
    $("restored").hidden = !recording;
    this.drop.hidden = Boolean(recording);
    const key = recording ? `${recording.before} ${recording.after}` : "";
    if (key === this.shown) return;
    this.shown = key;
    this.player.clear();
    this.restored(recording);
    if (!recording) return;
    this.length = "";
    this.facts(recording);
    const pictures = SIDES.map((side) => `api/picture/${recording[side]}.png`);
    if (this.store.preset.kind === "photo") {
      this.photos.show(pictures);
      this.facts(recording);
      return;
    }
    SIDES.forEach((side, i) => ($(`${side}-picture`).src = pictures[i]));
    this.choose(this.heard);
    this.player.show({
      body: key,
      parts: SIDES,
      load: (side, signal) => ask(`api/audio/${recording[side]}.wav`, { signal }),
      beats: 1,
      loaded: (seconds) => {
        this.length = clock(seconds);
        this.facts(recording);
      },
    });
  }

  /** Say what is shown, and how large or long it is. */
  facts({ name, size }) {
    $("recording-facts").textContent = [name, size ?? this.length].filter(Boolean).join(", ");
  }

  /** The server has forgotten the file: it was started anew, or the address is an old one. */
  lost() {
    this.shown = "";
    this.store.change({ recording: null }, "lost");
    this.say(`This ${this.store.preset.kind} is not on the server any more. Drop it again.`);
  }

  /** Hear one of a recording's two sides, or see it of a photo. */
  choose(side, focus = false) {
    if (this.store.preset.kind === "photo") this.photos.divide(side === "before" ? 1 : 0);
    else {
      this.heard = side;
      this.check(side);
      this.player.setLevels({ before: 0, after: 0, [side]: 1 });
    }
    if (focus) $(side).focus();
  }

  /** Mark which side is heard or seen; none where parts of both are. */
  check(chosen) {
    for (const side of SIDES) {
      $(side).setAttribute("aria-checked", String(side === chosen));
      $(side).tabIndex = side === (chosen ?? "after") ? 0 : -1;
      $(`${side}-figure`).classList.toggle("heard", side === chosen);
    }
  }

  seek(share) {
    this.player.seek(share);
    nextFrame(this.tick);
  }

  /** Follow what plays. */
  tick() {
    const { engine, playing } = this.player;
    const share = engine?.loop ? this.player.beat : 0;
    for (const side of SIDES) {
      const head = $(`${side}-figure`).querySelector(".playhead");
      head.hidden = !share && !playing;
      head.style.transform = `translateX(${(100 * share).toFixed(3)}%)`;
    }
    const seconds = engine?.loop?.stems.get("after").duration ?? 0;
    $("counter").textContent = seconds ? `${clock(share * seconds)} / ${clock(seconds)}` : "";
  }
}
