import { open, split } from "tidelog/data/frames";

/** Seconds to wait before each new attempt; the last one repeats. */
const WAITS = [1, 2, 4, 8, 15];
const POLL = 5000;
/** Codes with which the server says that trying again is no use. */
const FINAL = /** @type {Record<number, string>} */ ({ 4401: "signed-out", 4404: "gone" });

/**
 * The page's line to the server: frames while it holds, new attempts when it breaks, and
 * questions by REST when sockets do not get through at all.
 *
 * Dispatches `frame` ({ header, columns }), `poll` (time to ask by REST; `reached` says how
 * it went) and `state` whenever `state` or `wait` changes.
 */
export class Live extends EventTarget {
  /** @type {"connecting" | "live" | "polling" | "reconnecting" | "offline" | "paused" | "signed-out" | "gone"} */
  state = "connecting";
  /** Seconds until the next attempt. */
  wait = 0;
  /** When the data on screen was true, ms since the epoch. */
  heard = Date.now();

  #attempt = 0;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;
  #lastPoll = 0;

  /** @param {string} path @param {() => number} rev what is known, to be told the rest */
  constructor(path, rev) {
    super();
    this.path = path;
    this.rev = rev;
  }

  start() {
    addEventListener("online", () => this.now());
    addEventListener("offline", () => this.#tell("offline"));
    this.now();
  }

  /** Connect at once. */
  now() {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    this.#socket?.close();
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${this.path}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(JSON.stringify({ type: "resume", rev: this.rev() }));
    socket.onmessage = ({ data }) => this.#hear(socket, data);
    socket.onclose = ({ code }) => this.#lost(socket, code);
    this.#socket = socket;
  }

  pause() {
    if (this.state === "paused") {
      this.now();
      return;
    }
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#tell("paused");
  }

  /** How a poll went. @param {boolean} well */
  reached(well) {
    if (well) this.heard = Date.now();
    if (this.#ticking) this.#tell(well ? "polling" : "reconnecting");
  }

  /** @param {WebSocket} socket @param {ArrayBuffer} message */
  #hear(socket, message) {
    if (socket !== this.#socket || !(message instanceof ArrayBuffer)) return;
    this.#attempt = 0;
    this.heard = Date.now();
    this.#tell("live");
    for (const frame of split(message)) {
      this.dispatchEvent(new CustomEvent("frame", { detail: open(frame) }));
    }
  }

  /** @param {WebSocket} socket @param {number} code */
  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    if (FINAL[code]) this.#tell(FINAL[code]);
    else this.#retry();
  }

  #retry() {
    this.wait = WAITS[Math.min(this.#attempt, WAITS.length - 1)];
    this.#attempt++;
    this.#tell(
      navigator.onLine ? (this.state === "polling" ? "polling" : "reconnecting") : "offline",
    );
    clearInterval(this.#ticking);
    this.#ticking = setInterval(() => this.#tick(), 1000);
  }

  #tick() {
    this.wait--;
    if (this.#attempt > 1 && Date.now() - this.#lastPoll >= POLL) {
      this.#lastPoll = Date.now();
      this.dispatchEvent(new Event("poll"));
    }
    if (this.wait <= 0) this.now();
    else this.#tell(this.state);
  }

  /** @param {any} state */
  #tell(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
