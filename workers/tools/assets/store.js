// The articles and clusters that the page knows, and which clusters a query finds.
"use strict";
(() => {
  const S = globalThis.samewire;

  class Store {
    constructor() { this.clear(); }

    clear() {
      this.articles = [];
      this.byId = new Map();
      this.alias = new Map();
      this.merges = [];
      this.splits = [];
      this.lives = new Map(); // what was told of articles by their ids, perhaps before they came
      this.killed = new Map();
      this.clusters = new Map();
      this.newest = -1;
      this.common = new Set();
    }

    // Columns of articles in order of arrival, and what happened, as /api/index and the report give them.
    add(index) {
      const c = index.articles;
      for (const [survivor, lost, article, time] of index.merges) {
        this.merges.push({ survivor, lost, article, time });
        this.alias.set(lost, survivor);
      }
      for (const [kept, parted, article] of index.splits) this.splits.push({ kept, parted, article });
      for (const life of index.lives) this.lives.set(life.id, life);
      for (let i = 0; i < c.id.length; i++) {
        const article = {
          row: this.articles.length, ordinal: c.ordinal[i], id: c.id[i], title: c.title[i], time: c.time[i],
          source: index.sources[c.source[i]], lang: index.langs[c.lang[i]], relation: index.relations[c.relation[i]],
          score: c.score[i] / 10_000, matched: c.matched[i], cluster: c.cluster[i],
          folded: null, text: null, life: null,
        };
        this.articles.push(article);
        this.byId.set(article.id, article);
        if (article.ordinal > this.newest) this.newest = article.ordinal;
        this.live(article);
      }
      this.happen(index.lives);
      for (const word of index.common || []) this.common.add(word);
      this.group();
    }

    live(article) {
      const life = this.lives.get(article.id);
      if (!life || life.stands !== article.ordinal) return;
      article.life = life;
      article.cluster = life.cluster;
    }

    // Take out what was killed or replaced, and put what moved where it is now.
    happen(lives) {
      const gone = new Set(lives.flatMap((life) => life.gone));
      if (gone.size) this.articles = this.articles.filter((a) => !gone.has(a.ordinal));
      for (const life of lives) {
        const article = this.byId.get(life.id);
        if (article && gone.has(article.ordinal)) this.byId.delete(life.id);
        else if (article) this.live(article);
        if (life.killed) this.killed.set(life.id, { id: life.id, ...life.killed });
        else this.killed.delete(life.id);
      }
    }

    resolve(id) {
      let name = id, steps = 0;
      while (this.alias.has(name) && steps++ < 10_000) name = this.alias.get(name);
      return name;
    }

    group() {
      const clusters = new Map();
      for (const article of this.articles) {
        const id = this.resolve(article.cluster);
        let cluster = clusters.get(id);
        if (!cluster) clusters.set(id, (cluster = { id, articles: [], merges: [], splits: [], killed: [], left: [], arrived: 0, mark: null }));
        cluster.articles.push(article);
        cluster.arrived = Math.max(cluster.arrived, article.ordinal);
      }
      for (const merge of this.merges) {
        const cluster = clusters.get(this.resolve(merge.survivor));
        if (cluster) cluster.merges.push(merge);
      }
      for (const split of this.splits) {
        for (const id of new Set([this.resolve(split.kept), this.resolve(split.parted)])) clusters.get(id)?.splits.push(split);
      }
      for (const killed of this.killed.values()) clusters.get(killed.cluster && this.resolve(killed.cluster))?.killed.push(killed);
      for (const life of this.lives.values()) {
        for (const id of new Set((life.left || []).map((name) => this.resolve(name)))) if (id !== this.resolve(life.cluster)) clusters.get(id)?.left.push(life);
      }
      for (const cluster of clusters.values()) {
        cluster.articles.sort((a, b) => a.time - b.time || a.ordinal - b.ordinal);
        cluster.first = cluster.articles[0].time;
        cluster.last = cluster.articles[cluster.articles.length - 1].time;
        cluster.sources = new Set(cluster.articles.map((a) => a.source)).size;
      }
      this.clusters = clusters;
    }

    // query: {text, inTexts, source, lang, relations:Set, from, to, size, sort, mark}
    find(query) {
      const words = query.text.toLowerCase().split(/\s+/).filter(Boolean);
      const admits = (a) =>
        (!query.source || a.source === query.source) && (!query.lang || a.lang === query.lang) &&
        (!query.relations.size || query.relations.has(a.relation)) &&
        (query.from === null || a.time >= query.from) && (query.to === null || a.time < query.to);
      const mentions = (a) => {
        if (a.folded === null) a.folded = `${a.title} ${a.source} ${a.id}`.toLowerCase();
        return words.every((w) => a.folded.includes(w) || (query.inTexts && a.text !== null && a.text.includes(w)));
      };
      const exact = query.text.trim();
      const found = [];
      for (const cluster of this.clusters.values()) {
        if (cluster.articles.length < query.size) continue;
        if (query.mark && (cluster.mark === null || (query.mark !== "any" && cluster.mark.kind !== query.mark))) continue;
        const named = exact.length === 17 && (cluster.id === exact || cluster.merges.some((m) => m.lost === exact));
        const stoodHere = cluster.killed.some((k) => k.id === exact);
        if (named || stoodHere || cluster.articles.some((a) => admits(a) && (!words.length || mentions(a)))) found.push(cluster);
      }
      const order = {
        size: (a, b) => b.articles.length - a.articles.length || b.first - a.first,
        newest: (a, b) => b.arrived - a.arrived,
        first: (a, b) => a.first - b.first,
        span: (a, b) => b.last - b.first - (a.last - a.first) || b.articles.length - a.articles.length,
        sources: (a, b) => b.sources - a.sources || b.articles.length - a.articles.length,
      }[query.sort];
      return found.sort((a, b) => order(a, b) || (a.id < b.id ? -1 : 1));
    }
  }
  S.Store = Store;
})();
