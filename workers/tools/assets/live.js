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
      this.mergesSeen = index.merges_seen;
      store.add(index);
      return index;
    }
    async texts(articles) {
      return Promise.all(articles.map((a) => ask(`api/article?id=${encodeURIComponent(a.id)}`)));
    }
    // Calls onChange(newArticles) after every change, onStatus("live" | "lost").
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
              const before = store.articles.length;
              const index = await ask(`api/index?after=${store.newest}&merges_after=${this.mergesSeen}`);
              if (index.generation !== this.generation) { store.clear(); await this.load(store); onChange([]); break; }
              this.mergesSeen = index.merges_seen;
              more = index.more;
              if (index.articles.id.length || index.merges.length) { store.add(index); onChange(store.articles.slice(before)); }
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
