// Recordings: before and after, heard in turns without a stop, and both spectrograms.

import { $, nextFrame } from "./dom.js";
import { chooseFile, isFile } from "./corners.js";
import { ask, upload } from "./net.js";
import { clock, shortName } from "./words.js";

const SIDES = ["before", "after"];

export class Restore {
  /** `player` has the audio context; `store` the state; `say(line)` and `failed(error)` speak. */
  constructor(store, player, { say, failed, restored }) {
    Object.assign(this, { store, player, say, failed, restored });
    this.shown = "";
    this.heard = "after";
    this.drop = $("restore-drop");
    const choose = async () => {
      const file = await chooseFile("audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff,.m4a");
      if (file) this.take(file);
    };
    this.drop.addEventListener("click", choose);
    $("restore-other").addEventListener("click", choose);
    for (const side of SIDES) {
      $(side).addEventListener("click", () => this.hear(side));
      $(side).addEventListener("keydown", (event) => {
        if (event.key.startsWith("Arrow")) this.hear(this.heard === "after" ? "before" : "after", true);
      });
      $(`${side}-figure`).addEventListener("pointerdown", (event) => {
        const box = event.currentTarget.getBoundingClientRect();
        this.hear(side);
        this.seek((event.clientX - box.left) / box.width);
      });
      $(`${side}-picture`).addEventListener("error", () => this.shown && this.lost());
    }
    this.tick = this.tick.bind(this);
  }

  async take(file) {
    const most = this.store.start.limits?.upload_bytes ?? Infinity;
    if (file.size > most) return this.say(`${file.name} is too large: files up to ${Math.round(most / 1e6)} MB are read here.`);
    await this.ask(`name=${encodeURIComponent(file.name)}`, file.name, file);
  }

  /** Restore a recording that the server has: the one that it was started with, or that another preset restored. */
  begin({ corners, recording }) {
    const [corner] = corners;
    if (recording || !isFile(corner)) return;
    this.ask(`id=${encodeURIComponent(corner.id)}`, corner.name);
  }

  async ask(query, name, file) {
    this.busy(true);
    const { preset } = this.store.state;
    try {
      const { id, before, after, notices } = await upload(`api/restore?${query}&preset=${encodeURIComponent(preset)}`, file);
      if (this.store.state.preset !== preset) return;
      const called = name.slice(0, 80);
      const fields = { recording: { before, after, name: called }, corners: [{ id, name: shortName(called) }] };
      this.store.change(fields, `recording ${performance.now()}`);
      if (notices?.length) this.say(notices[0]);
    } catch (error) {
      this.failed(error);
    } finally {
      this.busy(false);
    }
  }

  busy(on) {
    this.drop.classList.toggle("busy", on);
    this.drop.querySelector("strong").textContent = on ? "Working on it…" : "Drop a recording here";
    $("restore-other").disabled = on;
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
    for (const side of SIDES) $(`${side}-picture`).src = `api/spectrogram/${recording[side]}.png`;
    $("recording-facts").textContent = recording.name;
    this.levels();
    this.player.show({
      body: key,
      parts: SIDES,
      load: (side, signal) => ask(`api/audio/${recording[side]}.wav`, { signal }),
      beats: 1,
      loaded: (seconds) => ($("recording-facts").textContent = `${recording.name}, ${clock(seconds)}`),
    });
  }

  /** The server has forgotten the recording: it was started anew, or the address is an old one. */
  lost() {
    this.shown = "";
    this.store.change({ recording: null }, "lost");
    this.say("This recording is not on the server any more. Drop it again.");
  }

  hear(side, focus = false) {
    this.heard = side;
    this.levels();
    if (focus) $(side).focus();
  }

  levels() {
    for (const side of SIDES) {
      const on = this.heard === side;
      $(side).setAttribute("aria-checked", String(on));
      $(side).tabIndex = on ? 0 : -1;
      $(`${side}-figure`).classList.toggle("heard", on);
    }
    this.player.setLevels({ before: 0, after: 0, [this.heard]: 1 });
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
