// The list of clusters: only the rows in sight exist, so its length does not matter.
"use strict";
(() => {
  const S = globalThis.samewire;
  const { el } = S;
  const ROW_HEIGHT = 92, SPARE_ROWS = 6;

  class ClusterList {
    // host: a scrolling element; onChoose(cluster, focus)
    constructor(host, onChoose) {
      this.host = host;
      this.onChoose = onChoose;
      this.clusters = [];
      this.active = -1;
      this.chosen = null;
      this.seen = new Set();
      this.space = el("div", { class: "list-space", role: "presentation" });
      host.replaceChildren(this.space);
      host.addEventListener("scroll", () => this.draw());
      host.addEventListener("keydown", (event) => this.onKey(event));
      new ResizeObserver(() => this.draw()).observe(host);
    }

    show(clusters) {
      const current = this.clusters[this.active];
      this.clusters = clusters;
      this.active = current ? clusters.findIndex((c) => c.id === current.id) : -1;
      this.space.style.setProperty("height", `${clusters.length * ROW_HEIGHT}px`);
      this.drawn = "";
      this.draw();
    }

    choose(id) {
      this.chosen = id;
      this.active = this.clusters.findIndex((c) => c.id === id);
      this.drawn = "";
      this.draw();
    }

    draw() {
      const top = this.host.scrollTop, height = this.host.clientHeight || 600;
      const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - SPARE_ROWS);
      const last = Math.min(this.clusters.length, Math.ceil((top + height) / ROW_HEIGHT) + SPARE_ROWS);
      const drawn = `${first}-${last}-${this.active}-${this.chosen}-${this.clusters.length}`;
      if (drawn === this.drawn) return;
      this.drawn = drawn;
      this.space.replaceChildren(...this.clusters.slice(first, last).map((c, i) => this.row(c, first + i)));
      const active = this.active >= first && this.active < last ? `row-${this.active}` : null;
      if (active) this.host.setAttribute("aria-activedescendant", active);
      else this.host.removeAttribute("aria-activedescendant");
    }

    row(cluster, at) {
      const head = cluster.articles[0], size = cluster.articles.length;
      const meta = [];
      if (size > 1) meta.push(S.plural(cluster.sources, "source"), cluster.last > cluster.first ? `over ${S.span(cluster.last - cluster.first)}` : "at once");
      else meta.push(S.clip(head.source || "no source", 40));
      const marks = [];
      if (cluster.merges.length) marks.push(el("span", { class: "mark-note" }, cluster.merges.length === 1 ? "merged" : `merged × ${cluster.merges.length}`));
      if (cluster.splits.length) marks.push(el("span", { class: "mark-note" }, "came apart"));
      if (cluster.killed.length) marks.push(el("span", { class: "mark-note killed" }, `${S.count(cluster.killed.length)} killed`));
      if (cluster.left.length || cluster.articles.some((a) => a.life?.versions > 1)) marks.push(el("span", { class: "mark-note" }, "corrected"));
      if (cluster.articles.some((a) => a.life?.embargo > Date.now())) marks.push(el("span", { class: "mark-note" }, "embargoed"));
      if (cluster.articles.some((a) => a.life?.advisory)) marks.push(el("span", { class: "mark-note" }, "advisory"));
      if (cluster.mark) marks.push(el("span", { class: "mark-note changed" }, cluster.mark.kind));
      return el("div", {
        id: `row-${at}`, role: "option", class: `row${at === this.active ? " active" : ""}`,
        "aria-selected": String(cluster.id === this.chosen), "aria-setsize": this.clusters.length, "aria-posinset": at + 1,
        style: { transform: `translateY(${at * ROW_HEIGHT}px)` },
        on: { click: () => { this.active = at; this.onChoose(cluster, true); } },
      },
        el("span", { class: `size${size > 1 ? "" : " alone"}`, title: S.plural(size, "article") }, S.count(size)),
        el("span", { class: "row-body" },
          S.foreign(head.title || head.id, { class: "row-title" }),
          el("span", { class: "row-meta" }, el("span", {}, S.moment(cluster.first)), meta.map((m) => el("span", {}, S.foreign(m)))),
          size > 1 || marks.length ? this.strip(cluster, marks) : null));
    }

    // What happened to the cluster, and its make-up in one line: a dot for each article, by relation.
    strip(cluster, marks) {
      const shown = cluster.articles.length > 1 ? cluster.articles.slice(0, 24) : [];
      return el("span", { class: "strip" }, marks,
        shown.map((a) => el("i", { class: `dot fill-${a.relation}`, "aria-hidden": "true" })),
        shown.length > 0 && cluster.articles.length > shown.length ? el("span", {}, `+${cluster.articles.length - shown.length}`) : null);
    }

    onKey(event) {
      const page = Math.max(1, Math.floor(this.host.clientHeight / ROW_HEIGHT) - 1);
      const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
      if (event.key in moves) {
        event.preventDefault();
        this.active = Math.max(0, Math.min(this.clusters.length - 1, Math.max(this.active, event.key === "ArrowDown" ? -1 : 0) + moves[event.key]));
        this.reveal();
        this.draw();
      } else if ((event.key === "Enter" || event.key === " ") && this.clusters[this.active]) {
        event.preventDefault();
        this.onChoose(this.clusters[this.active], true);
      }
    }

    reveal() {
      const top = this.active * ROW_HEIGHT;
      if (top < this.host.scrollTop) this.host.scrollTop = top;
      else if (top + ROW_HEIGHT > this.host.scrollTop + this.host.clientHeight) this.host.scrollTop = top + ROW_HEIGHT - this.host.clientHeight;
    }
  }
  S.ClusterList = ClusterList;
})();
