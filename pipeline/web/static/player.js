// One camera of the replay: its recording at a moment, with boxes drawn from what was remembered.

import { get, query } from "./api.js";
import { fill, find, icon, make, makeSvg } from "./dom.js";
import { day } from "./times.js";
import { boxAt } from "./tracks.js";

const DRIFT_S = 0.25;
const MISSED_US = 2_000_000;

export class Player {
  constructor(camera, { onReady }) {
    this.camera = camera;
    this.video = make("video", { muted: true, playsinline: true, preload: "auto" });
    this.video.muted = true;
    this.still = make("img", { alt: "" });
    this.still.hidden = true;
    this.layer = makeSvg("svg", { class: "boxes", preserveAspectRatio: "xMidYMid meet", role: "group", "aria-label": `People at ${camera}` });
    this.words = make("p", { class: "blank" }, "…");
    this.element = make("figure", { class: "tile", data: { camera } },
      this.video, this.still, this.layer, this.words, make("figcaption", {}, make("b", {}, camera), make("span", { class: "state" })));
    this.video.addEventListener("loadeddata", onReady);
    this.video.addEventListener("seeked", onReady);
    this.still.addEventListener("load", onReady);
    this.spans = []; // when it recorded, as far as the ruler knows
    this.locks = []; // what of it is kept
    this.moment = null;
    this.asking = false;
    this.missedUntil = [0, 0];
  }

  // The stretch that is known to hold no recording is not asked for again and again.
  async load(at_us) {
    if (this.asking || (at_us >= this.missedUntil[0] && at_us < this.missedUntil[1])) return;
    this.asking = true;
    try {
      const moment = await get(query(`cameras/${this.camera}/recordings/moment`, { at: Math.round(at_us) }));
      this.moment = moment;
      if (moment.video) {
        if (this.video.getAttribute("src") !== moment.video) this.video.setAttribute("src", moment.video);
        this.video.hidden = false;
        this.still.hidden = true;
      } else {
        this.video.hidden = true;
        this.still.hidden = false;
      }
    } catch (error) {
      this.moment = null;
      this.missedUntil = [at_us - MISSED_US, at_us + MISSED_US];
      this.blank(error.status === 404 ? "not recorded" : error.message);
    }
    this.asking = false;
  }

  blank(words) {
    this.video.pause();
    this.element.classList.add("empty");
    fill(this.words, words);
    fill(this.layer);
  }

  // Called again and again: shows the moment, playing or not.
  async show(at_us, { rate, isPlaying }) {
    const { moment } = this;
    if (!this.spans.some((span) => at_us >= span.from_us && at_us < span.to_us)) {
      this.blank("not recorded");
      return;
    }
    if (!moment || at_us < moment.from_us || at_us >= moment.to_us) {
      await this.load(at_us);
      if (!this.moment || at_us < this.moment.from_us || at_us >= this.moment.to_us) return;
    }
    this.element.classList.remove("empty");
    if (!this.moment.video) { this.showStill(at_us); return; }
    const wanted_s = (at_us - this.moment.from_us) / 1e6;
    const { video } = this;
    // Sought before its first picture is there, a browser may go on showing that one.
    if (video.readyState < (isPlaying ? 1 : 2)) return;
    const off_s = Math.abs(video.currentTime - wanted_s);
    if (isPlaying) {
      if (video.playbackRate !== rate) video.playbackRate = rate;
      if (off_s > DRIFT_S * Math.max(1, rate) && !video.seeking) video.currentTime = wanted_s;
      if (video.paused && wanted_s < video.duration) video.play().catch(() => {});
    } else {
      if (!video.paused) video.pause();
      if (off_s > 0.02 && !video.seeking) video.currentTime = wanted_s;
    }
  }

  showStill(at_us) {
    const second = Math.floor(at_us / 500_000) * 500_000;
    if (this.stillAt === second || this.still.dataset.loading) return;
    this.stillAt = second;
    this.still.dataset.loading = "1";
    this.still.onload = this.still.onerror = () => delete this.still.dataset.loading;
    this.still.src = query(`/api/v1/cameras/${this.camera}/recordings/picture`, { at: second });
  }

  // `tracks`: of this camera. Whom one follows is drawn thick; who is unsure, dashed.
  draw(at_us, tracks, follow) {
    if (this.element.classList.contains("empty")) { fill(this.layer); return; }
    const shown = this.video.hidden ? this.still : this.video;
    const wide = shown.videoWidth || shown.naturalWidth;
    const high = shown.videoHeight || shown.naturalHeight;
    if (!wide) return;
    this.layer.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    const size = wide / 38;
    fill(this.layer, tracks.map((track) => {
      const box = boxAt(track.rows, at_us);
      if (!box) return null;
      const [x0, y0, x1, y1] = box;
      const words = track.person ? track.name || track.person : track.candidate ? `perhaps ${track.candidate}` : "unsure";
      const kind = `person-box${track.person ? "" : " unsure"}${follow && track.person === follow ? " followed" : ""}`;
      const drawn = [
        makeSvg("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, "vector-effect": "non-scaling-stroke" }),
        makeSvg("text", { x: x0, y: Math.max(size, y0 - size / 4), "font-size": size }, words),
      ];
      const who = track.person ?? track.candidate;
      return who ? makeSvg("a", { class: kind, href: `/people/${who}?visit=${track.sighting}`, "aria-label": words }, drawn) : makeSvg("g", { class: kind }, drawn);
    }));
  }

  // Whether what is shown is kept, and until when.
  tellKept(at_us) {
    const lock = this.locks.find((one) => at_us >= one.from_us && at_us < one.to_us) ?? null;
    if (lock === this.told) return;
    this.told = lock;
    fill(find(".state", this.element), lock && [icon("lock"), `kept until ${day(lock.until_us)}`]);
  }
}
