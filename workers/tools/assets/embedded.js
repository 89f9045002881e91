// The report's data: compressed blocks in the page itself, opened when they are needed.
"use strict";
(() => {
  const S = globalThis.samewire;

  async function open(id) {
    const packed = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  class Embedded {
    constructor() { this.blocks = new Map(); }
    async load(store) {
      const index = await open("index");
      store.add(index);
      this.places = index.places; // by row: [block, position]
      return index;
    }
    block(number) {
      if (!this.blocks.has(number)) {
        this.blocks.set(number, open(`block-${number}`));
        if (this.blocks.size > 24) this.blocks.delete(this.blocks.keys().next().value);
      }
      return this.blocks.get(number);
    }
    async texts(articles) {
      return Promise.all(articles.map(async (a) => {
        const [block, position] = this.places[a.row];
        const [title, text, url, earlier] = (await this.block(block))[position];
        return { title, text, url, earlier };
      }));
    }
    async searchable(store) {
      for (const article of store.articles) {
        if (article.text === null) article.text = ((await this.texts([article]))[0].text || "").toLowerCase();
      }
    }
    follow() {}
  }
  S.Embedded = Embedded;
})();
