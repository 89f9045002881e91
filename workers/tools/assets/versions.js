// The earlier versions of an article, and what each correction changed.
"use strict";
(() => {
  const S = globalThis.samewire;
  const { el } = S;
  const QUIET_CHARACTERS = 360; // of an unchanged stretch; a longer one is shown by its ends

  const whole = (version) => (version.title ? `${version.title}\n\n` : "") + (version.text || "");

  // found: {title, text, earlier: [{version, published_at, updated_at, status, title, text, killed}]}
  S.versions = (found) => {
    if (!found.earlier.length) return null;
    const all = [...found.earlier, { title: found.title, text: found.text }];
    return el("section", { class: "versions", "aria-label": "Earlier versions" },
      el("h5", {}, S.plural(found.earlier.length, "earlier version")),
      found.earlier.map((version, at) => one(version, all[at + 1])));
  };

  function one(version, next) {
    const name = [version.version ? `version ${version.version}` : "no version number", " · ", S.moment(Date.parse(version.updated_at || version.published_at))];
    if (version.killed) {
      return el("p", {}, name, " ", el("span", { class: "badge badge-killed" }, "killed"), version.killed.reason ? [" ", S.foreign(S.clip(version.killed.reason, 600))] : null);
    }
    if (version.text === null || next.text === null || next.killed) return el("p", {}, name, ", replaced");
    const body = el("div", { class: "text", dir: "auto" });
    const details = el("details", {}, el("summary", {}, name, ": what the next one changed"), body);
    details.addEventListener("toggle", () => { if (details.open && !body.hasChildNodes()) body.append(...changes(version, next)); });
    return details;
  }

  function changes(version, next) {
    const [before, after] = [version, next].map((v) => whole(v).slice(0, S.MAX_SHOWN_CHARACTERS));
    const pieces = S.changes(before, after);
    if (!pieces.some((p) => p.kind !== "same")) return [el("p", { class: "hint" }, "Nothing in the words; its date or its number.")];
    return pieces.map(({ kind, text }) => {
      if (kind !== "same") return el(kind, {}, text);
      if (text.length <= QUIET_CHARACTERS) return text;
      return `${text.slice(0, QUIET_CHARACTERS / 3)} … ${text.slice(-QUIET_CHARACTERS / 3)}`;
    });
  }
})();
