// Two articles side by side: what they share and what is only in one.
"use strict";
(() => {
  const S = globalThis.samewire;
  const { el } = S;

  class Comparison {
    // texts(articles) -> Promise of [{title, text, url}], text null where none is kept
    constructor(store, texts) { this.store = store; this.texts = texts; this.turn = 0; }

    open(cluster, a, b) {
      this.cluster = cluster;
      this.host = el("section", { class: "compare", "aria-labelledby": "compare-title" });
      this.pick(a, b);
      return this.host;
    }

    chooser(label, current, onChange) {
      const options = this.cluster.articles.slice(0, 2000).map((x, i) => {
        const option = el("option", { value: i }, S.clip(`${S.clock(x.time)} ${x.source || "no source"}: ${x.title || x.id}`, 90));
        option.selected = x === current;
        return option;
      });
      const select = el("select", { "aria-label": `Article ${label}` }, options);
      select.addEventListener("change", () => onChange(this.cluster.articles[Number(select.value)]));
      return el("label", { class: "chooser" }, el("b", {}, label), select);
    }

    async pick(a, b) {
      this.a = a; this.b = b;
      const turn = ++this.turn;
      const several = this.cluster.articles.length > 1;
      const body = el("div", { class: "pair", "aria-busy": "true" });
      this.host.replaceChildren(
        el("h3", { id: "compare-title" }, several ? "Side by side" : "The article"),
        several ? el("div", { class: "choosers" }, this.chooser("A", a, (x) => this.pick(x, this.b)),
          el("button", { type: "button", class: "swap", title: "Swap A and B", "aria-label": "Swap A and B", on: { click: () => this.pick(this.b, this.a) } }, "⇄"),
          this.chooser("B", b, (x) => this.pick(this.a, x))) : "",
        body);
      for (const button of document.querySelectorAll(".lane-row")) {
        button.setAttribute("aria-pressed", String(several && (button.dataset.id === a.id || button.dataset.id === b.id)));
        button.dataset.letter = several ? (button.dataset.id === a.id ? "A" : button.dataset.id === b.id ? "B" : "") : "";
      }
      let found;
      try { found = await this.texts(several ? [a, b] : [a]); }
      catch (error) { if (turn === this.turn) body.replaceChildren(el("p", { class: "note" }, `The texts could not be read: ${error.message}`)); return; }
      if (turn !== this.turn) return;
      body.removeAttribute("aria-busy");
      if (several) this.fill(body, found); else body.replaceChildren(side("", a, found[0], [], new Map(), null));
    }

    fill(body, [left, right]) {
      const full = [left, right].map((t) => (t.title ? `${t.title}\n\n` : "") + (t.text || "")).map((t) => t.slice(0, S.MAX_SHOWN_CHARACTERS));
      const words = full.map((t) => S.words(t));
      const passages = S.sharedPassages(words[0], words[1]).filter((p) => S.worthShowing(p, words[0], this.store.common));
      const sets = words.map((side) => new Set(side.filter((w) => !w.spaceless).map((w) => w.folded)));
      const shared = new Set([...sets[0]].filter((w) => sets[1].has(w) && !this.store.common.has(w) && w.length > 1));
      const inPassages = passages.reduce((sum, p) => sum + p.words, 0);
      const share = words.map((side) => (side.length ? inPassages / side.length : 0));
      const longest = Math.max(0, ...passages.map((p) => p.words));
      const places = [passages.map((p) => [p.left, p.words]), passages.map((p) => [p.right, p.words])];
      body.replaceChildren(
        el("p", { class: "overlap" },
          el("span", { class: "meter", "aria-hidden": "true" }, el("span", { style: { width: `${Math.min(1, Math.max(...share)) * 100}%` } })),
          `${S.percent(share[0])} of A and ${S.percent(share[1])} of B stand in shared passages; ${longest ? `the longest has ${longest} words` : "no run of words is shared"}; ${S.plural(shared.size, "rarer word")} in common.`),
        el("p", { class: "legend" }, el("mark", { class: "passage" }, "shared passage"), el("span", { class: "word" }, "shared word"), el("span", {}, "plain: only here")),
        el("div", { class: "columns" },
          side("A", this.a, left, marks(words[0], places[0]), shared, words[0]),
          side("B", this.b, right, marks(words[1], places[1]), shared, words[1])));
      body.addEventListener("pointerover", (event) => light(body, event.target));
      body.addEventListener("click", (event) => {
        const mark = event.target.closest?.("mark[data-n]");
        if (!mark) return;
        const other = [...body.querySelectorAll(`mark[data-n="${mark.dataset.n}"]`)].find((m) => m.closest("article") !== mark.closest("article"));
        other?.scrollIntoView({ block: "nearest" });
      });
    }
  }

  function light(body, target) {
    const number = target.closest?.("mark[data-n]")?.dataset.n;
    for (const mark of body.querySelectorAll("mark.lit")) if (mark.dataset.n !== number) mark.classList.remove("lit");
    if (number !== undefined) for (const mark of body.querySelectorAll(`mark[data-n="${number}"]`)) mark.classList.add("lit");
  }

  function marks(words, places) {
    return places.map(([first, count], n) => ({ start: words[first].start, end: words[first + count - 1].end, n })).sort((a, b) => a.start - b.start);
  }

  function side(letter, article, found, passages, shared, words) {
    const title = found.title || "", text = found.text || "";
    const content = ((title ? `${title}\n\n` : "") + text).slice(0, S.MAX_SHOWN_CHARACTERS);
    const cut = (title ? title.length + 2 : 0) + text.length - content.length;
    const pieces = (from, to) => {
      const out = [];
      let at = from;
      for (const p of passages) {
        if (p.end <= from || p.start >= to) continue;
        const start = Math.max(p.start, from), end = Math.min(p.end, to);
        if (start > at) out.push(...plain(at, start));
        out.push(el("mark", { class: "passage", "data-n": p.n }, content.slice(start, end)));
        at = end;
      }
      if (at < to) out.push(...plain(at, to));
      return out;
    };
    const plain = (from, to) => {
      const out = [];
      let at = from;
      for (const word of words || []) {
        if (word.start < from || word.end > to || !shared.has(word.folded)) continue;
        if (word.start > at) out.push(content.slice(at, word.start));
        out.push(el("span", { class: "word" }, content.slice(word.start, word.end)));
        at = word.end;
      }
      if (at < to) out.push(content.slice(at, to));
      return out;
    };
    const titleEnd = Math.min(title.length, content.length);
    const link = /^https?:\/\//i.test(found.url || "") ? el("a", { href: found.url, rel: "noreferrer noopener", target: "_blank" }, "original") : null;
    return el("article", { class: "side" },
      el("p", { class: "side-head" }, letter ? el("b", { class: "letter" }, letter) : null, S.foreign(S.clip(article.source || "no source", 60), { class: "source" }), S.tag(article), S.badges(article),
        el("span", { class: "side-when" }, S.moment(article.time)), link),
      el("h4", {}, S.el("bdi", { dir: "auto" }, pieces(0, titleEnd))),
      el("div", { class: "text", dir: "auto" }, found.text === null ? el("em", {}, "The state keeps no texts (state.keep_texts).") : pieces(title ? Math.min(title.length + 2, content.length) : 0, content.length)),
      cut > 0 ? el("p", { class: "hint" }, `… ${S.count(cut)} more characters`) : null,
      S.versions(found),
      el("p", { class: "side-id" }, S.foreign(S.clip(article.id, 120))));
  }
  S.Comparison = Comparison;
})();
