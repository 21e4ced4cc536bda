// A loop that can be exchanged while it plays. It works on any AudioContext, an OfflineAudioContext too.
//
// Sources are scheduled ahead on the audio clock. New sound takes over at the next beat: its sources start there, from
// the same place in the bar, and the few milliseconds before the beat fade from the old to the new. So no beat is lost,
// no attack is dulled, and nothing depends on when a timer fires.

const FADE = 0.008; // seconds of the crossfade, before the beat
const LEAD = 0.06; // seconds ahead of the clock within which nothing is scheduled any more

const mod = (value, by) => ((value % by) + by) % by;

export class LoopEngine {
  /** `output` is the node that hears the loop. */
  constructor(context, output) {
    this.context = context;
    this.output = output;
    this.gains = new Map(); // part -> its gain, for mute and solo
    this.levels = new Map();
    this.loop = null; // {stems: Map(part -> AudioBuffer), beats, once}: what plays, or would
    this.voice = null; // what is heard
    this.coming = null; // what takes over at the next beat
    this.paused = 0; // the beat at which it was paused
    this.onend = () => {}; // called when a sound that is played once has ended
  }

  get playing() {
    return this.voice !== null;
  }

  /** Play `loop` from the next beat on; at rest, from the next `play` on. */
  load(loop) {
    this.loop = loop;
    if (!this.voice) {
      this.paused = mod(this.paused, loop.beats);
      return;
    }
    const now = this.context.currentTime;
    this.arrive(now);
    let from = this.voice;
    if (this.coming && this.coming.at - FADE > now + LEAD) {
      drop(this.coming);
      keepOn(from, now);
    } else if (this.coming) {
      from = this.coming; // It is too late to call it back: the new sound follows it.
    }
    const soonest = from.phase + (now + LEAD + FADE - from.at) / from.beat;
    const beat = Math.max(Math.ceil(soonest - 1e-6), Math.floor(from.phase + 1e-6) + 1);
    const at = from.at + (beat - from.phase) * from.beat;
    fadeOut(from, at - FADE, at);
    if (from === this.coming) this.voice = from;
    this.coming = this.start(loop, at, mod(beat, loop.beats), FADE);
  }

  play(from = this.paused) {
    if (this.voice || !this.loop) return;
    this.voice = this.start(this.loop, this.context.currentTime + 0.03, mod(from, this.loop.beats), 0.004);
    if (this.loop.once) this.finish(this.voice);
  }

  pause() {
    if (!this.voice) return;
    this.paused = this.position();
    const now = this.context.currentTime;
    for (const voice of [this.voice, this.coming]) {
      if (!voice) continue;
      if (voice.at - FADE > now) drop(voice);
      else fadeOut(voice, now, now + 0.015);
    }
    this.voice = this.coming = null;
  }

  /** Go to a beat, playing or not. */
  seek(beat) {
    const { playing } = this;
    this.pause();
    this.paused = beat;
    if (playing) this.play();
  }

  /** The beat that is heard at `time` of the audio clock, from 0 to the loop's beats. */
  position(time = this.context.currentTime) {
    if (!this.voice) return this.paused;
    this.arrive(this.context.currentTime);
    const voice = this.coming && time >= this.coming.at ? this.coming : this.voice;
    return mod(voice.phase + Math.max(0, time - voice.at) / voice.beat, voice.beats);
  }

  /** How loud each part is, 0 to 1, within a few milliseconds. */
  setLevels(levels) {
    for (const [part, level] of Object.entries(levels)) {
      this.levels.set(part, level);
      this.gains.get(part)?.gain.setTargetAtTime(level, this.context.currentTime, 0.006);
    }
  }

  arrive(now) {
    if (this.coming && now >= this.coming.at) [this.voice, this.coming] = [this.coming, null];
  }

  /** Start a loop so that it is at beat `phase` and full at the time `at`, after a fade of so many seconds. */
  start({ stems, beats, once = false }, at, phase, fade) {
    const begin = Math.max(at - fade, this.context.currentTime);
    const seconds = stems.values().next().value.duration;
    const beat = seconds / beats;
    const offset = mod(phase * beat - (at - begin), seconds);
    const lines = [...stems].map(([part, buffer]) => {
      const source = new AudioBufferSourceNode(this.context, { buffer, loop: !once });
      const gain = new GainNode(this.context, { gain: 0 });
      source.connect(gain).connect(this.gainOf(part));
      gain.gain.setValueAtTime(0, begin);
      gain.gain.linearRampToValueAtTime(1, at);
      source.start(begin, once ? phase * beat : offset);
      return { source, gain };
    });
    return { lines, at, phase, beat, beats };
  }

  finish(voice) {
    voice.lines[0].source.onended = () => {
      if (this.voice !== voice) return;
      this.voice = null;
      this.paused = 0;
      this.onend();
    };
  }

  gainOf(part) {
    if (!this.gains.has(part)) {
      const node = new GainNode(this.context, { gain: this.levels.get(part) ?? 1 });
      node.connect(this.output);
      this.gains.set(part, node);
    }
    return this.gains.get(part);
  }
}

function fadeOut({ lines }, from, until) {
  for (const { source, gain } of lines) {
    gain.gain.setValueAtTime(1, from);
    gain.gain.linearRampToValueAtTime(0, until);
    source.stop(until + 0.01);
  }
}

/** Take back a fade to silence that lies ahead. */
function keepOn({ lines }, now) {
  for (const { source, gain } of lines) {
    gain.gain.cancelScheduledValues(now);
    gain.gain.setValueAtTime(1, now);
    source.stop(now + 1e6);
  }
}

function drop({ lines }) {
  for (const { source, gain } of lines) {
    source.stop();
    gain.disconnect();
  }
}
