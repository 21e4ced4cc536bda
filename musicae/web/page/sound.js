// What is heard: the stems of the point that is shown, as a loop; or a sound, once.

import { Failure, Latest, post } from "./net.js";
import { LoopEngine } from "./engine.js";

/** A player with one output for the whole page, made with the first sound: browsers want a click before it. */
export class Player {
  /** `failed(error)` hears of sound that could not be had, `changed()` of starting and stopping. */
  constructor({ failed, changed }) {
    this.changed = changed;
    this.context = null;
    this.engine = null;
    this.analyser = null;
    this.volume = 0.8;
    this.wanted = false; // whether it should play as soon as there is sound
    this.levels = {};
    this.loaded = ""; // what the engine has, as text
    this.queue = new Latest(
      (task, signal) => this.fetch(task, signal),
      (stems, task) => this.take(stems, task),
      (error) => {
        if (!this.engine?.playing) this.wanted = false; // What plays goes on.
        this.changed();
        failed(error);
      },
    );
  }

  get playing() {
    return this.wanted;
  }

  /** The beat that is heard now. */
  get beat() {
    if (!this.engine) return 0;
    const late = this.context.outputLatency || 0;
    return this.engine.position(Math.max(0, this.context.currentTime - late));
  }

  open() {
    if (this.context) return;
    this.context = new AudioContext({ sampleRate: 44_100, latencyHint: "interactive" });
    this.master = new GainNode(this.context, { gain: this.volume ** 2 });
    this.analyser = new AnalyserNode(this.context, { fftSize: 2048 });
    const limiter = new DynamicsCompressorNode(this.context, { threshold: -6, knee: 6, ratio: 12, attack: 0.002, release: 0.1 });
    this.master.connect(limiter).connect(this.analyser).connect(this.context.destination);
    this.engine = new LoopEngine(this.context, this.master);
    this.engine.onend = () => this.stop();
    this.engine.setLevels(this.levels);
  }

  setVolume(value) {
    this.volume = value;
    this.master?.gain.setTargetAtTime(value ** 2, this.context.currentTime, 0.01);
  }

  setLevels(levels) {
    this.levels = levels;
    this.engine?.setLevels(levels);
  }

  /**
   * Have `task` sound: at once or, if something plays, from the next beat on. It is {body, parts, beats, once}; `exact`
   * tells that the server has improved on the same body, `load` fetches a part from elsewhere, and `loaded` hears how
   * many seconds there are.
   */
  show(task) {
    this.task = { ...task, key: JSON.stringify([task.body, task.parts, task.exact]) };
    if (this.wanted && this.task.key !== this.loaded) this.queue.ask(this.task);
  }

  play() {
    if (this.wanted || !this.task) return;
    this.open();
    this.context.resume();
    this.wanted = true;
    if (this.task.key === this.loaded) this.engine.play();
    else this.queue.ask(this.task);
    this.changed();
  }

  stop() {
    this.wanted = false;
    this.engine?.pause();
    if (this.engine?.loop?.once) this.engine.paused = 0;
    this.changed();
  }

  toggle() {
    if (this.wanted) this.stop();
    else this.play();
  }

  /** Play a single sound from its start. */
  strike() {
    this.engine?.pause();
    if (this.engine) this.engine.paused = 0;
    this.wanted = false;
    this.play();
  }

  /** Forget all sound: another preset is shown. */
  clear() {
    this.queue.drop();
    this.stop();
    this.loaded = "";
    this.task = null;
    if (this.engine) [this.engine.loop, this.engine.paused] = [null, 0];
  }

  seek(beat) {
    this.engine?.seek(beat);
  }

  async fetch({ body, parts, load }, signal) {
    const ask = (part) => post("api/sound", part ? { ...body, only: [part] } : body, signal);
    const stems = await Promise.all(
      parts.map(async (part) => {
        const answer = await (load ? load(part, signal) : ask(part));
        return [part, await this.context.decodeAudioData(await answer.arrayBuffer())];
      }),
    );
    if (stems.some(([, buffer]) => !buffer.length)) throw new Failure("There is nothing to hear here.");
    return new Map(stems);
  }

  take(stems, { key, beats, once, loaded }) {
    this.loaded = key;
    loaded?.(stems.values().next().value.duration);
    if (once) this.engine.pause();
    this.engine.load({ stems, beats, once });
    if (this.wanted) this.engine.play(once ? 0 : undefined);
    else this.changed();
  }
}
