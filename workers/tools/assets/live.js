// The live page's data: the JSON API, and a stream that says when there is more.
"use strict";
(() => {
  const S = globalThis.samewire;

  async function ask(path) {
    const answer = await fetch(path, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return answer.json();
  }

  class Live {
    async load(store) {
      const index = await ask("api/index");
      this.generation = index.generation;
      this.see(index);
      store.add(index);
      return index;
    }
    see(index) {
      this.seen = `merges_after=${index.merges_seen}&splits_after=${index.splits_seen}&lives_after=${index.lives_seen}`;
    }
    async texts(articles) {
      const found = await Promise.all(articles.map((a) => ask(`api/article?id=${encodeURIComponent(a.id)}`)));
      return found.map((article) => ({ ...article, earlier: article.versions.slice(0, -1) }));
    }
    // Calls onChange(newArticles, whatHappened) after every change, onStatus("live" | "lost").
    follow(store, onChange, onStatus) {
      let busy = false, again = false;
      const refresh = async () => {
        if (busy) { again = true; return; }
        busy = true;
        try {
          do {
            again = false;
            let more = true;
            while (more) {
              const newest = store.newest;
              const index = await ask(`api/index?after=${newest}&${this.seen}`);
              if (index.generation !== this.generation) { store.clear(); await this.load(store); onChange([], []); break; }
              this.see(index);
              more = index.more;
              if (index.articles.id.length || index.merges.length || index.splits.length || index.lives.length) {
                store.add(index);
                onChange(store.articles.filter((a) => a.ordinal > newest), index.lives);
              }
            }
          } while (again);
        } catch { onStatus("lost"); }
        finally { busy = false; }
      };
      const stream = new EventSource("api/stream");
      stream.addEventListener("change", refresh);
      stream.addEventListener("open", () => { onStatus("live"); refresh(); });
      stream.addEventListener("error", () => onStatus("lost"));
      addEventListener("pagehide", () => stream.close());
    }
  }
  S.Live = Live;
})();
