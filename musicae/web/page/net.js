// Talking to the server: one request of a kind at a time, the newest next, and whether the server is there.

/** A request that failed, with the line to show. `gone` tells that no answer came; `status` is that of HTTP. */
export class Failure extends Error {
  constructor(line, { gone = false, status = 0 } = {}) {
    super(line);
    this.gone = gone;
    this.status = status;
  }
}

/** Ask for a path; every answer that is not a good one is a Failure. */
export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("The server does not answer.", { gone: true });
  }
  if (answer.ok) return answer;
  let line = `The server says ${answer.status}.`;
  try {
    line = (await answer.json()).error ?? line;
  } catch {
    // Not from the server of this page: the status has to do.
  }
  throw new Failure(line, { status: answer.status });
}

export const getJson = async (path) => (await ask(path)).json();

export const post = (path, body, signal) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });

export const postJson = async (path, body, signal) => (await post(path, body, signal)).json();

export async function upload(path, file) {
  return (await ask(path, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: file })).json();
}

/** Send a file whose answer comes in lines: `heard(line)` gets those before the last, which is returned. */
export async function follow(path, file, signal, heard) {
  const answer = await ask(path, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: file, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      throw error.name === "AbortError" ? error : new Failure("The server does not answer.", { gone: true });
    });
    text += value ?? "";
    const lines = text.split("\n").filter(Boolean);
    if (!done) {
      if (text.endsWith("\n") && lines.length) heard(JSON.parse(lines.at(-1)));
      continue;
    }
    if (!lines.length) throw new Failure("The server does not answer.", { gone: true });
    const last = JSON.parse(lines.at(-1));
    if (last.error) throw new Failure(last.error, { status: 400 });
    return last;
  }
}

/** The file in an answer, with the name that the server gives it. */
export async function fileOf(answer, fallback) {
  const given = /filename\*?=(?:UTF-8'')?"?([^";]+)"?/.exec(answer.headers.get("content-disposition") ?? "");
  return new File([await answer.blob()], given ? decodeURIComponent(given[1]) : fallback, { type: answer.headers.get("content-type") ?? "" });
}

/**
 * Work of which only the newest matters: at most one piece is under way, and the newest of those that were asked for
 * meanwhile comes next. `work(task, signal)` returns a promise; `done(result, task)` and `failed(error, task)` follow.
 */
export class Latest {
  constructor(work, done, failed) {
    Object.assign(this, { work, done, failed });
    this.running = null;
    this.next = null;
  }

  get busy() {
    return this.running !== null;
  }

  ask(task) {
    if (this.running) this.next = { task };
    else this.run(task);
  }

  /** Forget what is under way and what waits. */
  drop() {
    this.running?.abort();
    this.running = this.next = null;
  }

  async run(task) {
    const mine = (this.running = new AbortController());
    let finish = () => {};
    try {
      const result = await this.work(task, mine.signal);
      finish = () => this.done(result, task);
    } catch (error) {
      if (error.name !== "AbortError") finish = () => this.failed(error, task);
    }
    if (this.running !== mine) return; // Dropped meanwhile.
    this.running = null;
    finish();
    if (this.next && !this.running) {
      const { task: newest } = this.next;
      this.next = null;
      this.run(newest);
    }
  }
}

/** Look now and then whether the server is there, oftener when it is not. `changed(there)` hears of it. */
export class Health {
  constructor(changed) {
    this.there = true;
    this.changed = changed;
    this.timer = 0;
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    this.plan();
  }

  plan() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), this.there ? 10_000 : 1_500);
  }

  async look() {
    if (!document.hidden) {
      try {
        await ask("api/health");
        this.set(true);
      } catch (error) {
        this.set(!error.gone);
      }
    }
    this.plan();
  }

  set(there) {
    if (there === this.there) return;
    this.there = there;
    this.plan();
    this.changed(there);
  }
}
