// Shared by the report and the live page: elements, formats, words for people.
// Foreign text goes into pages as text nodes only; nothing here parses HTML.
"use strict";
globalThis.samewire = globalThis.samewire || {};
(() => {
  const S = globalThis.samewire;
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
      else if (name === "style") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
      else node.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children.flat(Infinity)) {
      if (child !== null && child !== undefined && child !== false) node.append(child);
    }
    return node;
  }
  S.el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
  S.svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
  // Foreign text, isolated so that direction overrides end with it.
  S.foreign = (text, attributes) => S.el("bdi", { dir: "auto", ...attributes }, text);

  S.RELATIONS = ["new", "exact", "copy", "abridged", "rewrite"];
  S.RELATION_MEANING = {
    new: "matched nothing before it",
    exact: "the same words in the same order",
    copy: "verbatim but for small changes",
    abridged: "shortened",
    rewrite: "the same content in other words",
  };

  const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  S.MINUTE = MINUTE; S.HOUR = HOUR; S.DAY = DAY;
  S.span = (ms) => {
    const seconds = Math.floor(Math.abs(ms) / 1000);
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
    const days = Math.floor(hours / 24);
    return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
  };
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (n) => String(n).padStart(2, "0");
  S.day = (ms) => { const d = new Date(ms); return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`; };
  S.shortDay = (ms) => { const d = new Date(ms); return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`; };
  S.clock = (ms) => { const d = new Date(ms); return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`; };
  S.moment = (ms) => `${S.day(ms)}, ${S.clock(ms)}`;
  S.isoDay = (ms) => new Date(ms).toISOString().slice(0, 10);
  S.count = (n) => n.toLocaleString("en-GB");
  S.plural = (n, one, many) => `${S.count(n)} ${n === 1 ? one : many || one + "s"}`;
  S.clip = (text, limit) => (text.length > limit ? text.slice(0, limit - 1) + "…" : text);
  S.percent = (share) => `${Math.round(share * 100)} %`;
})();
