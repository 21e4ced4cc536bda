// Files that leave the page: the menu, the MIDI that is dragged out, the link.

import { $, make } from "./dom.js";
import { ask, fileOf, post } from "./net.js";

const KINDS = {
  notes: [["save", "mid", "MIDI"], ["save", "wav", "Sound"], ["save", "png", "Picture"], ["save", "npz", "Codes"]],
  picture: [["save", "png", "Picture"], ["save", "npz", "Codes"]],
  sound: [["save", "wav", "Sound"], ["save", "png", "Picture"], ["save", "npz", "Codes"]],
  recording: [],
  photo: [],
};
const WALKS = { notes: [["mid", "MIDI"], ["wav", "Sound"], ["png", "Picture"]], picture: [["png", "Picture"]], sound: [["wav", "Sound"], ["png", "Picture"]] };
const RESTORED = { recording: "wav", photo: "png" };
const MIDI = "audio/midi";

export function download(file) {
  const address = URL.createObjectURL(file);
  const link = make("a", { href: address, download: file.name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export class Saving {
  /** `body()` is that of the point that is shown; `say(line)` and `failed(error)` speak. */
  constructor({ body, say, failed }) {
    Object.assign(this, { body, say, failed });
    this.ready = null; // {key, file, address}: the MIDI that a drag can take along at once
    const menu = $("save");
    addEventListener("pointerdown", (event) => menu.contains(event.target) || (menu.open = false));
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    $("copy").addEventListener("click", () => this.copy());
    this.watchMidi($("midi"));
  }

  build({ kind }, restored) {
    const items = [];
    const item = (label, suffix, work) => {
      const button = make("button", { type: "button" }, label, make("small", {}, `.${suffix}`));
      button.addEventListener("click", () => {
        $("save").open = false;
        this.save(work);
      });
      items.push(button);
    };
    if (KINDS[kind].length) items.push(make("p", {}, "What is shown"));
    for (const [path, suffix, label] of KINDS[kind]) item(label, suffix, () => this.fetch(path, suffix));
    if (WALKS[kind]) items.push(make("p", {}, "The whole walk, from the first corner to the second"));
    for (const [suffix, label] of WALKS[kind] ?? []) item(label, suffix, () => this.fetch("walk", suffix, "&steps=9"));
    if (restored) item(`The restored ${kind}`, RESTORED[kind], async () => fileOf(await ask(`api/save/${restored.after}`), "restored"));
    $("save").hidden = !items.length;
    $("saves").replaceChildren(...items);
  }

  async fetch(path, suffix, more = "") {
    const answer = await post(`api/${path}?as=${suffix}${more}`, this.body());
    return fileOf(answer, `musicae.${suffix}`);
  }

  async save(work) {
    try {
      const file = await work();
      download(file);
      this.say(`${file.name} is saved.`);
    } catch (error) {
      this.failed(error);
    }
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(location.href);
      this.say("The link is copied. It opens all of this while musicae play runs.");
    } catch {
      this.say("Copy the address from the browser's address bar: it holds all of this.");
    }
  }

  /** Have the MIDI at hand before it is dragged: a drag cannot wait. */
  watchMidi(handle) {
    for (const name of ["pointerenter", "pointerdown", "focus"]) handle.addEventListener(name, () => this.prepare());
    handle.addEventListener("dragstart", (event) => {
      if (this.ready?.key !== JSON.stringify(this.body())) {
        event.preventDefault();
        this.prepare();
        this.say("The MIDI was not ready yet; drag it again.");
        return;
      }
      const { file, address } = this.ready;
      event.dataTransfer.effectAllowed = "copy";
      event.dataTransfer.setData("DownloadURL", `${MIDI}:${file.name}:${address}`);
      event.dataTransfer.setData("text/uri-list", address);
    });
    const click = () => this.save(() => this.fetch("save", "mid"));
    handle.addEventListener("click", click);
    handle.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      click();
    });
  }

  async prepare() {
    const key = JSON.stringify(this.body());
    if (this.ready?.key === key) return;
    try {
      const file = await this.fetch("save", "mid");
      const bytes = new Uint8Array(await file.arrayBuffer());
      this.ready = { key, file, address: `data:${MIDI};base64,${btoa(String.fromCharCode(...bytes))}` };
    } catch (error) {
      this.failed(error);
    }
  }
}
