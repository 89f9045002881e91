// Three small charts: articles over time, how late copies follow, who has stories first.
"use strict";
(() => {
  const S = globalThis.samewire;
  const { el, svg } = S;
  const STACK = ["new", "exact", "copy", "abridged", "rewrite"];

  function niceStep(raw, steps) { return steps.find((s) => s >= raw) || Math.ceil(raw / S.DAY / 7) * 7 * S.DAY; }
  const TIME_STEPS = [5, 10, 15, 30].map((m) => m * S.MINUTE).concat([1, 2, 3, 6, 12].map((h) => h * S.HOUR), [1, 2, 7, 14, 28].map((d) => d * S.DAY));
  function countStep(most) {
    const raw = most / 3, power = 10 ** Math.floor(Math.log10(Math.max(1, raw)));
    return Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) || 10 * power);
  }

  // The bulk of the times: a few strays (a wrong date) must not squeeze the rest into one bar.
  function bulk(times) {
    const sorted = Float64Array.from(times).sort();
    const low = sorted[0], high = sorted[sorted.length - 1];
    const a = sorted[Math.floor(sorted.length * 0.01)], b = sorted[Math.ceil(sorted.length * 0.99) - 1];
    return high - low > 4 * Math.max(b - a, S.HOUR) ? [a, b] : [low, high];
  }

  // onRange(from, to) with null for none. The date fields do the same from the keyboard.
  S.timeChart = (host, articles, range, onRange) => {
    host.replaceChildren();
    if (!articles.length) return;
    const width = Math.max(260, host.clientWidth), height = 148, left = 34, bottom = 20, top = 8;
    const [low, high] = bulk(articles.map((a) => a.time));
    const plotWidth = width - left - 4, plotHeight = height - top - bottom;
    const step = niceStep((high - low || S.HOUR) / Math.min(72, Math.floor(plotWidth / 9)), TIME_STEPS);
    const start = Math.floor(low / step) * step, bins = Math.min(400, Math.floor((high - start) / step) + 1);
    const sums = Array.from({ length: bins }, () => new Map());
    for (const a of articles) {
      const bin = Math.max(0, Math.min(bins - 1, Math.floor((a.time - start) / step)));
      sums[bin].set(a.relation, (sums[bin].get(a.relation) || 0) + 1);
    }
    const most = Math.max(1, ...sums.map((m) => [...m.values()].reduce((x, y) => x + y, 0)));
    const x = (bin) => left + (bin / bins) * plotWidth, y = (n) => top + plotHeight * (1 - n / most);
    const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `Articles over time, ${S.moment(start)} to ${S.moment(high)}, by relation; at most ${most} in ${S.span(step)}` });
    const ticks = countStep(most);
    for (let n = ticks; n <= most; n += ticks) {
      root.append(svg("line", { class: "grid", x1: left, x2: width - 4, y1: y(n), y2: y(n) }),
        svg("text", { class: "tick", x: left - 6, y: y(n) + 4, "text-anchor": "end" }, S.count(n)));
    }
    const gap = plotWidth / bins > 5 ? 1.5 : plotWidth / bins > 2 ? 0.5 : 0;
    sums.forEach((sum, bin) => {
      let stacked = 0;
      const bar = svg("g", {});
      for (const relation of STACK) {
        const n = sum.get(relation) || 0;
        if (!n) continue;
        bar.append(svg("rect", { class: `fill-${relation}`, x: x(bin) + gap / 2, width: Math.max(0.5, plotWidth / bins - gap), y: y(stacked + n), height: y(stacked) - y(stacked + n) }));
        stacked += n;
      }
      if (stacked) bar.append(svg("title", {}, `${S.moment(start + bin * step)}: ${S.plural(stacked, "article")}`));
      root.append(bar);
    });
    root.append(svg("line", { class: "axis", x1: left, x2: width - 4, y1: y(0), y2: y(0) }));
    const labels = Math.max(2, Math.floor(plotWidth / 84));
    const labelStep = niceStep((bins * step) / labels, TIME_STEPS);
    for (let t = Math.ceil(start / labelStep) * labelStep; t < start + bins * step; t += labelStep) {
      const at = left + ((t - start) / (bins * step)) * plotWidth;
      if (at > width - 30 || at < left + 12) continue;
      const midnight = t % S.DAY === 0;
      root.append(svg("line", { class: "axis", x1: at, x2: at, y1: y(0), y2: y(0) + 4 }),
        svg("text", { class: midnight ? "tick strong" : "tick", x: at, y: height - 4, "text-anchor": "middle" }, midnight ? S.shortDay(t) : S.clock(t)));
    }
    const atTime = (t) => left + Math.max(0, Math.min(1, (t - start) / (bins * step))) * plotWidth;
    const brush = svg("rect", { class: "brush", y: top, height: plotHeight, x: 0, width: 0 });
    if (range.from !== null || range.to !== null) {
      const a = range.from === null ? left : atTime(range.from), b = range.to === null ? left + plotWidth : atTime(range.to);
      brush.setAttribute("x", a); brush.setAttribute("width", Math.max(2, b - a));
    }
    root.append(brush);
    let from = null;
    const timeAt = (event) => {
      const box = root.getBoundingClientRect();
      return start + Math.max(0, Math.min(1, ((event.clientX - box.left) * (width / box.width) - left) / plotWidth)) * bins * step;
    };
    root.addEventListener("pointerdown", (event) => { from = timeAt(event); root.setPointerCapture(event.pointerId); });
    root.addEventListener("pointermove", (event) => {
      if (from === null) return;
      const a = atTime(Math.min(from, timeAt(event))), b = atTime(Math.max(from, timeAt(event)));
      brush.setAttribute("x", a); brush.setAttribute("width", b - a);
    });
    root.addEventListener("pointerup", (event) => {
      if (from === null) return;
      const a = Math.min(from, timeAt(event)), b = Math.max(from, timeAt(event));
      from = null;
      if (atTime(b) - atTime(a) < 4) onRange(null, null);
      else onRange(Math.floor(a / step) * step, Math.ceil(b / step) * step);
    });
    host.append(root);
  };

  const LAGS = [["5 min", 5 * S.MINUTE], ["15 min", 15 * S.MINUTE], ["1 h", S.HOUR], ["3 h", 3 * S.HOUR], ["12 h", 12 * S.HOUR], ["1 d", S.DAY], ["3 d", 3 * S.DAY], ["later", Infinity]];
  S.lagChart = (host, clusters) => {
    host.replaceChildren();
    const sums = LAGS.map(() => new Map());
    let total = 0;
    for (const cluster of clusters) {
      for (const a of cluster.articles.slice(1)) {
        const bin = LAGS.findIndex(([, limit]) => a.time - cluster.first <= limit);
        sums[bin].set(a.relation, (sums[bin].get(a.relation) || 0) + 1);
        total++;
      }
    }
    if (!total) { host.append(el("p", { class: "none" }, "No copies among these clusters.")); return; }
    const width = Math.max(240, host.clientWidth), height = 148, bottom = 20, top = 16, left = 2;
    const slot = (width - left) / LAGS.length, plotHeight = height - top - bottom;
    const most = Math.max(...sums.map((m) => [...m.values()].reduce((x, y) => x + y, 0)));
    const y = (n) => top + plotHeight * (1 - n / most);
    const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `How long after the first article copies follow: ${S.plural(total, "copy", "copies")}` });
    sums.forEach((sum, bin) => {
      let stacked = 0;
      for (const relation of STACK) {
        const n = sum.get(relation) || 0;
        if (!n) continue;
        root.append(svg("rect", { class: `fill-${relation}`, x: left + bin * slot + slot * 0.14, width: slot * 0.72, y: y(stacked + n), height: y(stacked) - y(stacked + n) }));
        stacked += n;
      }
      if (stacked) root.append(svg("text", { class: "tick strong", x: left + (bin + 0.5) * slot, y: y(stacked) - 4, "text-anchor": "middle" }, S.count(stacked)));
      root.append(svg("text", { class: "tick", x: left + (bin + 0.5) * slot, y: height - 4, "text-anchor": "middle" }, LAGS[bin][0]));
    });
    root.append(svg("line", { class: "axis", x1: left, x2: width, y1: y(0), y2: y(0) }));
    host.append(root);
  };

  // onSource(name): a row is a button that filters.
  S.sourceChart = (host, clusters, onSource) => {
    host.replaceChildren();
    const tally = new Map();
    for (const cluster of clusters) {
      if (cluster.articles.length < 2) continue;
      cluster.articles.forEach((a, place) => {
        const t = tally.get(a.source) || { first: 0, followed: 0 };
        if (place === 0) t.first++; else t.followed++;
        tally.set(a.source, t);
      });
    }
    const rows = [...tally].sort((a, b) => b[1].first - a[1].first || b[1].followed - a[1].followed).slice(0, 6);
    if (!rows.length) { host.append(el("p", { class: "none" }, "No shared stories among these clusters.")); return; }
    const most = Math.max(...rows.map(([, t]) => t.first + t.followed));
    host.append(el("div", { class: "bars" }, rows.map(([source, t]) =>
      el("button", { type: "button", class: "bar-row", title: "Show this source", on: { click: () => onSource(source) } },
        S.foreign(S.clip(source || "(no source)", 60), { class: "bar-name" }),
        el("span", { class: "bar-track" },
          el("span", { class: "bar fill-new", style: { width: `${(t.first / most) * 100}%` } }),
          el("span", { class: "bar followed", style: { width: `${(t.followed / most) * 100}%` } })),
        el("span", { class: "bar-number" }, `${t.first} / ${t.followed}`)))));
  };
})();
