// One cluster: what it is, and its timeline.
"use strict";
(() => {
  const S = globalThis.samewire;
  const { el, svg } = S;
  const FIRST_SHOWN = 60, MOST_KILLED = 20;
  const TICKS = [["0", 0], ["5 min", 5 * S.MINUTE], ["30 min", 30 * S.MINUTE], ["2 h", 2 * S.HOUR], ["8 h", 8 * S.HOUR], ["1 d", S.DAY], ["3 d", 3 * S.DAY], ["7 d", 7 * S.DAY], ["30 d", 30 * S.DAY], ["1 y", 365 * S.DAY]];
  // Minutes matter at first and hours later: a logarithmic scale of the time since the first article.
  const scale = (ms) => Math.log1p(Math.max(0, ms) / (2 * S.MINUTE));

  // What happened to an article that was killed, in a sentence.
  S.fate = (killed) => [
    el("span", { class: "badge badge-killed" }, "killed"), " ",
    S.foreign(S.clip(killed.title || killed.id, 160), { class: "source" }),
    killed.title ? [" (", S.foreign(S.clip(killed.id, 80)), killed.source ? [", ", S.foreign(S.clip(killed.source, 60))] : null, ")"] : " before it came",
    killed.through === null ? "" : `, up to version ${killed.through}`,
    `, on ${S.moment(killed.at)}`, killed.reason ? [": ", S.foreign(killed.reason)] : ", without a reason given."];

  S.clusterHead = (cluster, store) => {
    const head = cluster.articles[0];
    const verbatim = cluster.articles.filter((a) => a.relation === "exact" || a.relation === "copy").length;
    const facts = [
      [S.count(cluster.articles.length), cluster.articles.length === 1 ? "article" : "articles"],
      [S.count(cluster.sources), cluster.sources === 1 ? "source" : "sources"],
      [cluster.articles.length > 1 ? S.span(cluster.last - cluster.first) : "–", "first to last"],
      [`${verbatim} / ${cluster.articles.filter((a) => a.relation === "rewrite").length}`, "verbatim / rewritten"],
    ];
    return el("header", { class: "cluster-head" },
      el("p", { class: "kicker" }, el("code", {}, cluster.id), ` · first published ${S.moment(cluster.first)} UTC`),
      el("h2", { id: "cluster-title", tabindex: "-1" }, S.foreign(head.title || head.id)),
      el("dl", { class: "facts" }, facts.map(([value, name]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
      cluster.merges.length ? el("p", { class: "note merged" }, el("strong", {}, "Merged. "),
        cluster.merges.map((m, i) => [i ? "; " : "", el("code", {}, m.lost), " joined when ", S.foreign(S.clip(m.article, 80)), ` came (${S.moment(m.time)})`]),
        ". The old ids still lead here.") : null,
      cluster.splits.length ? el("p", { class: "note parted" }, el("strong", {}, "Came apart. "),
        cluster.splits.map((s, i) => [i ? "; " : "", s.kept === cluster.id || store.resolve(s.kept) === cluster.id
          ? [el("a", { href: `#${s.parted}` }, el("code", {}, s.parted)), " left this cluster"]
          : ["it was part of ", el("a", { href: `#${s.kept}` }, el("code", {}, s.kept))],
        " when ", S.foreign(S.clip(s.article, 80)), " was withdrawn or corrected"]), ".") : null,
      cluster.left.length ? el("p", { class: "note elsewhere" }, el("strong", {}, "Corrected elsewhere. "),
        cluster.left.slice(-MOST_KILLED).map((life, i) => [i ? "; " : "", S.foreign(S.clip(life.id, 80)), " was here before its correction", life.version ? ` (version ${life.version})` : "", " and now stands in ", el("a", { href: `#${life.cluster}` }, el("code", {}, life.cluster))]),
        ". What is here may still say what was corrected.") : null,
      cluster.killed.length ? el("div", { class: "note withdrawn" }, el("strong", {}, "Withdrawn. "), cluster.killed.slice(-MOST_KILLED).map((k) => el("p", {}, S.fate(k))),
        cluster.killed.length > MOST_KILLED ? el("p", {}, `… and ${S.count(cluster.killed.length - MOST_KILLED)} before them`) : null) : null,
      cluster.mark ? el("p", { class: "note changed" }, el("strong", {}, cluster.mark.kind === "joined" ? "Joined. " : "Split. "), cluster.mark.text) : null);
  };

  // onPick(article) chooses what to compare.
  S.timeline = (cluster, store, onPick) => {
    const section = el("section", { class: "timeline", "aria-labelledby": "timeline-title" },
      el("h3", { id: "timeline-title" }, "Timeline"),
      el("p", { class: "hint" }, "Who had it first, who followed, how much later. A line leads to each article from the one it is closest to. Choose a row to compare it."));
    const spanMs = cluster.last - cluster.first, end = scale(spanMs) || 1;
    const ticks = TICKS.filter(([, ms]) => ms <= spanMs * 1.02 && spanMs > 0);
    const place = (ms) => 2 + 95 * (scale(ms) / end);
    const list = el("ol", { class: "lanes" });
    if (ticks.length > 1) {
      // Labels need room: the first and every one that stands clear of the one before.
      let last = -100;
      list.append(el("li", { class: "lane-axis", "aria-hidden": "true" }, el("span", {}),
        el("span", { class: "lane" }, ticks.filter(([, ms]) => { const clear = place(ms) - last > 13; if (clear) last = place(ms); return clear; })
          .map(([name, ms]) => el("span", { class: "tick-label", style: { left: `${place(ms)}%` } }, name)))));
    }
    const rows = cluster.articles.map((article, at) => () => row(article, at));
    function row(article, at) {
      const later = article.time - cluster.first;
      const model = article.matched ? store.byId.get(article.matched) : null;
      const fromMs = model && cluster.articles.includes(model) ? model.time - cluster.first : null;
      const lane = svg("svg", { class: "lane-svg", "aria-hidden": "true", width: "100%", height: "22" },
        ticks.map(([, ms]) => svg("line", { class: "grid", x1: `${place(ms)}%`, x2: `${place(ms)}%`, y1: 0, y2: 22 })),
        fromMs !== null ? [
          svg("line", { class: `link stroke-${article.relation}`, x1: `${place(fromMs)}%`, x2: `${place(later)}%`, y1: 11, y2: 11 }),
          svg("circle", { class: "from", cx: `${place(fromMs)}%`, cy: 11, r: 3 })] : null,
        svg("circle", { class: `fill-${article.relation} ${at === 0 ? "origin" : ""}`, cx: `${place(later)}%`, cy: 11, r: at === 0 ? 6.5 : 5.5 }));
      return el("li", {}, el("button", { type: "button", class: "lane-row", "data-id": article.id, "aria-pressed": "false", on: { click: () => onPick(article) } },
        el("span", { class: "when" }, el("span", { class: "offset" }, at === 0 ? "first" : later ? `+ ${S.span(later)}` : "same time"), el("time", { datetime: new Date(article.time).toISOString() }, S.clock(article.time), el("span", { class: "day" }, S.shortDay(article.time)))),
        el("span", { class: "lane" }, lane),
        el("span", { class: "who" },
          el("span", { class: "who-line" }, S.foreign(S.clip(article.source || "no source", 60), { class: "source" }), S.tag(article), S.badges(article), article.lang ? el("span", { class: "lang" }, S.clip(article.lang, 12)) : null,
            model ? el("span", { class: "of" }, "of ", S.foreign(S.clip(model.source || model.id, 36)), ` · ${article.score.toFixed(2)}`) : null),
          S.foreign(article.title || article.id, { class: "who-title" }))));
    }
    list.append(...rows.slice(0, FIRST_SHOWN).map((make) => make()));
    section.append(list);
    if (rows.length > FIRST_SHOWN) {
      const more = el("button", { type: "button", class: "more", on: { click: () => { list.append(...rows.slice(FIRST_SHOWN).map((make) => make())); more.remove(); } } }, `Show all ${S.count(rows.length)} articles`);
      section.append(more);
    }
    return section;
  };

  // What else is to be known before an article is used.
  S.badges = (article) => {
    const life = article.life, found = [];
    if (!life) return found;
    if (life.versions > 1) found.push(el("span", { class: "badge badge-corrected", title: S.plural(life.versions - 1, "earlier version") }, life.version ? `corrected, version ${life.version}` : "corrected"));
    if (life.embargo !== null) {
      const ahead = life.embargo > Date.now();
      found.push(el("span", { class: `badge ${ahead ? "badge-embargoed" : "badge-past"}` }, `${ahead ? "embargoed until" : "embargo ended"} ${S.moment(life.embargo)}`));
    }
    if (life.advisory) found.push(el("span", { class: "badge badge-advisory", title: "what its title or first lines announce in prose" }, `advisory: ${life.advisory}`));
    return found;
  };

  S.tag = (article) => el("span", { class: `tag tag-${article.relation}`, title: S.RELATION_MEANING[article.relation] }, article.relation);
})();
