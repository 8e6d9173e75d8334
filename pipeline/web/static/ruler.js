// The ruler of the replay: what was recorded, who was seen, when nobody looked, alerts.

import { fill, makeSvg } from "./dom.js";
import { clock, timeOfDay } from "./times.js";

const LEFT = 110;
const LANE = 26;
const TOP = 22;
const STEPS_S = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200];

export class Ruler {
  constructor(element, cameras, { onSeek }) {
    this.element = element;
    this.cameras = cameras;
    this.height = TOP + cameras.length * LANE + 22;
    this.head = makeSvg("path", { class: "head" });
    this.svg = makeSvg("svg", { class: "ruler-svg" });
    fill(element, this.svg);
    let drags = false;
    const seek = (event) => {
      const x = event.clientX - this.svg.getBoundingClientRect().left;
      onSeek(this.timeAt(x));
    };
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.target.closest("a")) return;
      drags = true;
      this.svg.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.svg.addEventListener("pointermove", (event) => { if (drags) seek(event); });
    this.svg.addEventListener("pointerup", () => { drags = false; });
    new ResizeObserver(() => { if (this.told) this.draw(this.told); }).observe(element);
  }

  x(time_us) { return this.left + (time_us - this.from_us) / (this.to_us - this.from_us) * (this.width - this.left - 6); }

  timeAt(x) {
    const share = Math.min(1, Math.max(0, (x - this.left) / (this.width - this.left - 6)));
    return this.from_us + share * (this.to_us - this.from_us);
  }

  // told: {from_us, to_us, recorded and locks: Map camera -> spans, visits, gaps, alerts, follow}
  draw(told) {
    Object.assign(this, { told, from_us: told.from_us, to_us: told.to_us });
    this.width = Math.max(300, this.element.clientWidth);
    this.left = this.width < 560 ? 70 : LEFT;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.setAttribute("height", this.height);
    const hatch = makeSvg("pattern", { id: "unseen-hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, makeSvg("path", { class: "hatch", d: "M0,0V7" }));
    const parts = [makeSvg("defs", {}, hatch), this.ticks()];
    this.cameras.forEach((camera, number) => parts.push(this.lane(camera, TOP + number * LANE)));
    parts.push(told.alerts.map((alert) => this.flag(alert)), this.head);
    fill(this.svg, parts);
    this.moveTo(this.at_us ?? told.from_us);
  }

  lane(camera, y) {
    const { told } = this;
    const parts = [
      makeSvg("text", { class: "camera", x: 0, y: y + 17 }, camera.length > 13 ? `${camera.slice(0, 12)}…` : camera),
      makeSvg("path", { class: "lane", d: `M${this.left},${y + LANE}H${this.width}` }),
    ];
    for (const span of told.recorded.get(camera) ?? []) parts.push(this.span("recorded", span.from_us, span.to_us, y + 8, 10));
    for (const lock of told.locks.get(camera) ?? []) parts.push(this.span("kept", lock.from_us, lock.to_us, y + 20, 4, `kept until ${clock(lock.until_us)}`));
    for (const gap of told.gaps.filter((one) => one.camera === camera)) {
      parts.push(this.span("blind", gap.from_us, gap.to_us ?? this.to_us, y + 3, 20, `nobody looked: ${gap.reason}`));
    }
    for (const visit of told.visits.filter((one) => one.camera === camera)) {
      const kind = `visit ${visit.modality}${visit.identity ? "" : " unsure"}${told.follow && visit.identity === told.follow ? " followed" : ""}`;
      parts.push(this.span(kind, visit.first_seen_us, visit.last_seen_us, y + 5, 16,
        `${visit.identity ?? "unsure"}, ${visit.modality === "visible" ? "day" : "night"}, ${clock(visit.first_seen_us)}`, 3));
    }
    return parts;
  }

  span(kind, from_us, to_us, y, height, words = null, least = 1) {
    const x0 = Math.max(this.left, this.x(from_us));
    const x1 = Math.min(this.width - 6, this.x(to_us));
    if (x1 < this.left || x0 > this.width - 6) return null;
    return makeSvg("rect", { class: kind, x: x0.toFixed(1), y, width: Math.max(least, x1 - x0).toFixed(1), height, rx: kind.startsWith("visit") ? 2 : 0, fill: kind === "blind" ? "url(#unseen-hatch)" : null }, words ? makeSvg("title", {}, words) : null);
  }

  flag(alert) {
    const x = this.x(alert.began_us);
    if (x < this.left || x > this.width) return null;
    const words = `alert ${alert.alert}: ${alert.sentence}`;
    return makeSvg("a", { class: "flag", href: `/alerts/${alert.alert}`, "aria-label": words, tabindex: "-1" },
      makeSvg("title", {}, words), makeSvg("path", { d: `M${x.toFixed(1)},${TOP - 2}l-5,-9h10z` }));
  }

  ticks() {
    const per_s = (this.width - this.left) / ((this.to_us - this.from_us) / 1e6);
    const step_us = (STEPS_S.find((s) => s * per_s >= 84) ?? 86400) * 1e6;
    const found = [];
    for (let at = Math.ceil(this.from_us / step_us) * step_us; at < this.to_us; at += step_us) {
      const x = this.x(at).toFixed(1);
      found.push(makeSvg("path", { class: "tick", d: `M${x},${TOP}V${this.height - 18}` }),
        makeSvg("text", { class: "time", x, y: this.height - 5, "text-anchor": "middle" }, step_us < 60e6 ? timeOfDay(at) : timeOfDay(at).slice(0, 5)));
    }
    return found;
  }

  moveTo(at_us) {
    this.at_us = at_us;
    const x = this.x(at_us).toFixed(1);
    this.head.setAttribute("d", `M${x},4V${this.height - 18}`);
    this.element.setAttribute("aria-valuemin", Math.round(this.from_us / 1e6));
    this.element.setAttribute("aria-valuemax", Math.round(this.to_us / 1e6));
    this.element.setAttribute("aria-valuenow", Math.round(at_us / 1e6));
    this.element.setAttribute("aria-valuetext", clock(at_us));
  }
}
