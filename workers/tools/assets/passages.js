// Passages that two texts share; the same algorithm as passages.py.
"use strict";
(() => {
  const S = globalThis.samewire;
  const SEED_WORDS = 3, MAX_PLACES = 32, MOST_RUN_WORDS = 40, LONG_PASSAGE_WORDS = 5, LONG_PASSAGE_CHARACTERS = 8;
  const MAX_SHOWN_CHARACTERS = 60_000;
  S.MAX_SHOWN_CHARACTERS = MAX_SHOWN_CHARACTERS;
  // A character of a script without spaces, a number, or a word.
  const WORD = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]|\p{Nd}+(?:[.,]\p{Nd}+)*|[\p{L}\p{N}\p{M}]+/gu;
  const SPACELESS = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]$/u;

  S.words = (text) => {
    const found = [];
    for (const match of text.matchAll(WORD)) {
      const folded = match[0].normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
      found.push({ start: match.index, end: match.index + match[0].length, folded, spaceless: SPACELESS.test(match[0]) });
    }
    return found;
  };

  S.sharedPassages = (left, right) => {
    const key = (side, at) => `${side[at].folded} ${side[at + 1].folded} ${side[at + 2].folded}`;
    const places = new Map();
    for (let at = 0; at + SEED_WORDS <= right.length; at++) {
      const k = key(right, at), found = places.get(k);
      if (!found) places.set(k, [at]);
      else if (found.length < MAX_PLACES) found.push(at);
    }
    const runs = [], knownUntil = new Map();
    let budget = MOST_RUN_WORDS * (left.length + right.length);
    for (let at = 0; at + SEED_WORDS <= left.length && budget >= 0; at++) {
      for (const other of places.get(key(left, at)) || []) {
        if ((knownUntil.get(other - at) ?? -1) > at) continue;
        let length = SEED_WORDS;
        while (at + length < left.length && other + length < right.length &&
               left[at + length].folded === right[other + length].folded) length++;
        knownUntil.set(other - at, at + length);
        runs.push([length, at, other]);
        budget -= length;
      }
    }
    runs.sort((a, b) => b[0] - a[0] || a[1] - b[1] || a[2] - b[2]);
    const usedLeft = new Uint8Array(left.length), usedRight = new Uint8Array(right.length), taken = [];
    for (const [length, at, other] of runs) {
      let begin = 0;
      while (begin < length) {
        while (begin < length && (usedLeft[at + begin] || usedRight[other + begin])) begin++;
        let end = begin;
        while (end < length && !usedLeft[at + end] && !usedRight[other + end]) end++;
        if (end - begin >= SEED_WORDS) {
          usedLeft.fill(1, at + begin, at + end);
          usedRight.fill(1, other + begin, other + end);
          taken.push({ left: at + begin, right: other + begin, words: end - begin });
        }
        begin = Math.max(end, begin + 1);
      }
    }
    return taken.sort((a, b) => a.left - b.left);
  };

  // What was taken out of a text and put in to make the other: [{kind: "same" | "del" | "ins", text}].
  S.changes = (before, after) => {
    const a = S.words(before), b = S.words(after), passages = S.sharedPassages(a, b);
    // Of the shared passages those that stand in the same order in both, with the most words.
    const best = passages.map((p) => p.words), from = passages.map(() => -1);
    passages.forEach((p, i) => {
      for (let j = 0; j < i; j++) {
        if (passages[j].right < p.right && best[j] + p.words > best[i]) { best[i] = best[j] + p.words; from[i] = j; }
      }
    });
    const kept = [];
    for (let i = best.indexOf(Math.max(...best)); i >= 0; i = from[i]) kept.unshift(passages[i]);
    const pieces = [];
    const say = (kind, text) => {
      if (text && pieces.at(-1)?.kind === kind) pieces.at(-1).text += text;
      else if (text) pieces.push({ kind, text });
    };
    let left = 0, right = 0;
    const changed = (leftEnd, rightEnd) => {
      let gone = before.slice(left, leftEnd), come = after.slice(right, rightEnd), lead = 0, tail = 0;
      const most = Math.min(gone.length, come.length);
      // What stands between words is no change where it is the same on both sides.
      const plain = (c) => !/[\p{L}\p{N}\p{M}]/u.test(c);
      while (lead < most && gone[lead] === come[lead] && plain(gone[lead])) lead++;
      while (tail < most - lead && gone.at(-1 - tail) === come.at(-1 - tail) && plain(gone.at(-1 - tail))) tail++;
      say("same", come.slice(0, lead));
      say("del", gone.slice(lead, gone.length - tail));
      say("ins", come.slice(lead, come.length - tail));
      say("same", come.slice(come.length - tail));
      left = leftEnd; right = rightEnd;
    };
    for (const p of kept) {
      for (let i = 0; i < p.words; i++) { // the same words, but perhaps not the same commas and capitals
        const was = a[p.left + i], is = b[p.right + i], word = after.slice(is.start, is.end);
        changed(was.start, is.start);
        if (before.slice(was.start, was.end) !== word) { changed(was.end, is.end); continue; }
        say("same", word);
        left = was.end; right = is.end;
      }
    }
    changed(before.length, after.length);
    return pieces;
  };

  // Short runs of everyday words are chance.
  S.worthShowing = (passage, side, common) => {
    const run = side.slice(passage.left, passage.left + passage.words);
    if (run.every((w) => w.spaceless)) return run.length >= LONG_PASSAGE_CHARACTERS;
    return run.length >= LONG_PASSAGE_WORDS || run.some((w) => !w.spaceless && !common.has(w.folded));
  };
})();
