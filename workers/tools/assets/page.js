// Puts the page together: filters, charts, list, detail.
"use strict";
(() => {
  const S = globalThis.samewire;
  const { el } = S;
  const $ = (id) => document.getElementById(id);
  const LIVE = document.documentElement.dataset.mode === "live";

  const store = new S.Store();
  const data = LIVE ? new S.Live() : new S.Embedded();
  const query = { text: "", inTexts: false, source: "", lang: "", relations: new Set(), from: null, to: null, size: 1, sort: LIVE ? "newest" : "size", mark: "" };
  let found = [], current = null, shown = new Set(); // the ids of the articles in sight

  const list = new S.ClusterList($("list"), (cluster, focus) => show(cluster, focus));
  const comparison = new S.Comparison(store, (articles) => data.texts(articles));

  function apply() {
    found = store.find(query);
    list.show(found);
    const articles = found.reduce((sum, c) => sum + c.articles.length, 0);
    $("count").textContent = `${S.plural(found.length, "cluster")}, ${S.plural(articles, "article")}`;
    $("empty").hidden = found.length > 0;
    $("empty").textContent = store.articles.length ? "Nothing matches. Widen the dates, or reset the filters." : "No articles yet. They appear here as they are clustered.";
    const killed = store.killed.get(query.text.trim());
    $("fate").hidden = !killed;
    $("fate").replaceChildren(...(killed ? S.fate(killed).flat(Infinity) : []));
    charts();
  }

  function charts() {
    S.timeChart($("chart-time"), found.flatMap((c) => c.articles), query, (from, to) => {
      query.from = from; query.to = to;
      $("from").value = from === null ? "" : S.isoDay(from);
      $("to").value = to === null ? "" : S.isoDay(to - 1);
      apply();
    });
    S.lagChart($("chart-lag"), found);
    S.sourceChart($("chart-sources"), found, (source) => { $("source").value = source; query.source = source; apply(); });
  }

  function show(cluster, focus, keep) {
    current = cluster.id;
    shown = new Set(cluster.articles.map((a) => a.id));
    list.choose(cluster.id);
    history.replaceState(null, "", `#${cluster.id}`);
    const first = cluster.articles[0], second = cluster.articles.find((a) => a.matched === first.id) || cluster.articles[1] || first;
    const [a, b] = keep || [first, second];
    const detail = $("detail");
    const pair = comparison.open(cluster, a, b);
    detail.replaceChildren(
      el("button", { type: "button", class: "back", on: { click: leave } }, "‹ All clusters"),
      S.clusterHead(cluster, store),
      ...(cluster.articles.length > 1 ? [S.timeline(cluster, store, (article) => {
        const model = (article.matched && store.byId.get(article.matched)) || cluster.articles[0];
        const other = model === article || !cluster.articles.includes(model) ? cluster.articles.find((x) => x !== article) : model;
        comparison.pick(other, article);
        pair.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      })] : []),
      pair);
    comparison.pick(a, b);
    document.body.classList.add("reading");
    if (!keep) detail.scrollTop = 0;
    if (focus) {
      $("cluster-title").focus({ preventScroll: true });
      if (!matchMedia("(min-width: 960px)").matches) scrollTo(0, 0);
    }
  }

  function leave() {
    document.body.classList.remove("reading");
    $("list").focus();
  }

  function options(select, values, all) {
    const chosen = select.value;
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    const names = [...counts.keys()].filter(Boolean).sort((a, b) => counts.get(b) - counts.get(a)).slice(0, 500);
    select.replaceChildren(el("option", { value: "" }, all), ...names.map((v) => el("option", { value: v }, `${S.clip(v, 48)} (${S.count(counts.get(v))})`)));
    select.value = names.includes(chosen) ? chosen : "";
  }

  function refreshOptions() {
    options($("source"), store.articles.map((a) => a.source), "All sources");
    options($("lang"), store.articles.map((a) => a.lang), "All languages");
    const merged = [...store.clusters.values()].filter((c) => c.articles.length > 1);
    const copies = merged.reduce((sum, c) => sum + c.articles.length - 1, 0);
    $("summary").replaceChildren(...[
      [S.count(store.articles.length), "articles"], [S.count(store.clusters.size), "clusters"],
      [S.count(merged.length), "with copies"], [S.count(copies), "copies"],
      ...lives(),
      ...(store.merges.length ? [[S.count(store.merges.length), store.merges.length === 1 ? "merge" : "merges"]] : []),
    ].map(([value, name]) => el("span", {}, el("b", {}, value), ` ${name}`)));
  }

  function lives() {
    const corrected = store.articles.filter((a) => a.life?.versions > 1).length;
    return [[corrected, "corrected"], [store.killed.size, "killed"], [store.splits.length, store.splits.length === 1 ? "split" : "splits"]]
      .filter(([count]) => count).map(([count, name]) => [S.count(count), name]);
  }

  let typing = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { query.text = $("search").value.slice(0, 500); apply(); }, 120);
  });
  if (LIVE) $("in-texts").closest("label").remove();
  else $("in-texts").addEventListener("change", async (event) => {
    query.inTexts = event.target.checked;
    if (query.inTexts) { $("count").textContent = "Opening the texts…"; await data.searchable(store); }
    apply();
  });
  for (const key of ["source", "lang", "sort", "mark"]) $(key)?.addEventListener("change", () => { query[key] = $(key).value; apply(); });
  $("size").addEventListener("change", () => { query.size = Number($("size").value); apply(); });
  const dayOf = (id, add) => { const ms = Date.parse($(id).value); return Number.isNaN(ms) ? null : ms + add; };
  $("from").addEventListener("change", () => { query.from = dayOf("from", 0); apply(); });
  $("to").addEventListener("change", () => { query.to = dayOf("to", S.DAY); apply(); });
  for (const relation of S.RELATIONS) {
    const chip = el("button", { type: "button", class: "chip", "aria-pressed": "false", title: S.RELATION_MEANING[relation] }, el("i", { class: `dot fill-${relation}` }), relation);
    chip.addEventListener("click", () => {
      if (!query.relations.delete(relation)) query.relations.add(relation);
      chip.setAttribute("aria-pressed", String(query.relations.has(relation)));
      apply();
    });
    $("relations").append(chip);
  }
  $("reset").addEventListener("click", () => {
    Object.assign(query, { text: "", source: "", lang: "", relations: new Set(), from: null, to: null, size: 1, mark: "" });
    for (const id of ["search", "source", "lang", "from", "to", "mark"]) if ($(id)) $(id).value = "";
    $("size").value = "1";
    for (const chip of $("relations").children) chip.setAttribute("aria-pressed", "false");
    apply();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) { event.preventDefault(); $("search").focus(); }
    if (event.key === "Escape" && document.body.classList.contains("reading") && !matchMedia("(min-width: 960px)").matches) leave();
  });
  $("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  let resized = 0;
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(charts, 150); });

  function choose(id) {
    const cluster = store.clusters.get(store.resolve(id)) || (store.byId.has(id) ? store.clusters.get(store.resolve(store.byId.get(id).cluster)) : null);
    if (cluster) show(cluster, false);
    return Boolean(cluster);
  }
  addEventListener("hashchange", () => { if (location.hash.slice(1) !== current) choose(decodeURIComponent(location.hash.slice(1))); });

  function compared(comparisonData) {
    if (!comparisonData) return;
    const note = (id, kind, text) => { const c = store.clusters.get(store.resolve(id)); if (c) c.mark = { kind, text }; };
    for (const s of comparisonData.split) for (const id of s.into) note(id, "split", `In ${comparisonData.other} its articles stand together with others as ${s.id}.`);
    for (const j of comparisonData.joined) note(j.id, "joined", `In ${comparisonData.other} its articles stand apart, in ${j.of.join(", ")}.`);
    const select = el("select", { id: "mark" }, el("option", { value: "" }, "All clusters"), el("option", { value: "any" }, `Changed (${comparisonData.split.length + comparisonData.joined.length})`),
      el("option", { value: "joined" }, `Joined (${comparisonData.joined.length})`), el("option", { value: "split" }, `Split (${comparisonData.split.length})`));
    select.addEventListener("change", () => { query.mark = select.value; apply(); });
    $("more-filters").append(el("label", { class: "field" }, el("span", {}, `Against ${S.clip(comparisonData.other, 30)}`), select));
  }

  async function start() {
    if (!LIVE && typeof DecompressionStream === "undefined") throw new Error("this page needs a browser of 2023 or later");
    const index = await data.load(store);
    $("sort").value = query.sort;
    compared(index.comparison);
    if (index.forgotten) { $("partial").hidden = false; $("partial").textContent = `The newest ${S.count(store.articles.length)} articles; ${S.count(index.forgotten)} older ones are not shown.`; }
    refreshOptions();
    apply();
    if (!(location.hash && choose(decodeURIComponent(location.hash.slice(1)))) && found.length && matchMedia("(min-width: 960px)").matches) show(found[0], false);
    data.follow(store, (fresh, happened) => {
      refreshOptions();
      apply();
      const killed = happened.filter((life) => life.killed).length;
      const news = [[fresh.length, "new article"], [killed, "article killed", "articles killed"]].filter(([count]) => count);
      if (news.length) $("announce").textContent = news.map((each) => S.plural(...each)).join(", ");
      const cluster = current && store.clusters.get(store.resolve(current));
      const touched = fresh.some((a) => cluster && store.resolve(a.cluster) === cluster.id) || happened.some((life) => shown.has(life.id) || (life.killed && cluster && life.killed.cluster === cluster.id));
      if (cluster && (cluster.id !== current || touched)) show(cluster, false, [comparison.a, comparison.b].map((x) => cluster.articles.find((a) => a.id === x.id) || cluster.articles[0]));
      // What was killed must not stay in sight.
      else if (!cluster && happened.some((life) => life.killed && shown.has(life.id))) { shown = new Set(); $("detail").replaceChildren(el("button", { type: "button", class: "back", on: { click: leave } }, "‹ All clusters"), el("p", { class: "none" }, "This cluster is gone: its articles were killed.")); }
    }, (status) => {
      $("live").dataset.status = status;
      $("live-text").textContent = status === "live" ? "live" : "connection lost, trying again";
    });
    document.documentElement.dataset.ready = "true";
  }
  start().catch((error) => {
    $("empty").hidden = false;
    $("empty").textContent = `The page could not be shown: ${error.message}`;
  });
})();
