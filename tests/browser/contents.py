"""Stories to look at, and contents that are meant to break a page."""

import random

from tests.unit.tools.states import Item

FERRY = (
    "A passenger ferry carrying 214 people ran aground in thick fog near the northern port of Skarvik on Tuesday. "
    "The Nordlys Dronning struck the Taren reef about two nautical miles short of the harbour.\n\n"
    "Seventeen people were taken to hospital with bruises and mild hypothermia, spokesperson Ingvild Aasnes said."
)
REWRITE = (
    "Everyone on board a night ferry was brought to safety after the ship drove onto rocks outside Skarvik. "
    "Hospital staff treated seventeen patients, chiefly for hypothermia, according to Ingvild Aasnes."
)
DAY = 24 * 60

STORIES = [
    Item("f1", "f1", 0, title="Ferry with 214 aboard runs aground", text=FERRY, source="Nordic Wire", url="https://example.org/f1"),
    Item("b1", "b1", 3, title="Bank raises rates", text="The bank raised its rates by half a point.", source="Wire"),
    Item("f2", "f1", 20, "copy", "f1", 0.99, "FERRY WITH 214 ABOARD RUNS AGROUND", "Read more here.\n\n" + FERRY, "Gazette"),
    Item("f3", "f1", 95, "rewrite", "f1", 0.97, "Night ferry hits reef near Skarvik", REWRITE, "Coast Online"),
    Item("d1", "d1", 2 * DAY, title="Großbrand im Chemiepark", text="Ein Großbrand im Chemiepark.", source="Kurier", lang="de"),
    Item("d2", "d1", 2 * DAY + 4, "exact", "d1", 1.0, "Großbrand im Chemiepark", "Ein Großbrand im Chemiepark.", "Bote", "de"),
    Item("m1", "m1", 60, title="Quake shakes mountain district", text="A strong quake.", source="Wire"),
    Item("m2", "m2", 65, title="Earthquake in the mountains", text="An earthquake.", source="Gazette"),
    Item("m3", "m1", 80, "abridged", "m1", 0.8, "Quake: what we know", "A quake.", "Post", merges=[("m1", "m2")]),
]  # fmt: skip

SCRIPT = "</script><script>document.title='owned';alert(1)</script>"
BAD = [
    SCRIPT,
    "<img src=x onerror=alert(2)><svg onload=alert(3)>",
    "<!--<script>",
    "\"'><b onmouseover=alert(4)>bold</b>&lt;i&gt; &#60;u&#62;",
    "\u202egnp.exe\u2066\u2067 turned around \u200f",
    "{{7*7}} ${7*7} {% raw %}",
    "\u0000\u0007\u001b[31m\ufffe\U0010ffff",
    "javascript:alert(5)",
    "__proto__",
    "constructor",
    "مرحبا بالعالم שלום",
    "a\u0301" * 300,
    "\n\n\n   \t",
]

HOSTILE = [
    Item(
        f"{bad[:60]}#{n}{letter}", f"h{n}", n * 7 + (letter == "b"), "new" if letter == "a" else "copy",
        "" if letter == "a" else f"{bad[:60]}#{n}a", 0.9, bad, f"{bad} the same words for both sides {bad}", bad, bad[:20], bad,
    )
    for n, bad in enumerate(BAD)
    for letter in "ab"
]  # fmt: skip
HUGE = [
    Item(f"huge{n}", "huge0", n, "new" if n == 0 else "copy", "huge0" if n else "", 0.9, "W" * 100_000 if n else "Wide words " * 9_100,
         "long text with words " * 25_000, "S" * 4000, "L" * 4000, "https://example.org/" + "u" * 4000)
    for n in range(2)
]  # fmt: skip


def many(count: int) -> list[Item]:
    """Return articles as a stream has them: one in eight a copy of an earlier one."""
    chance = random.Random(7)
    vocabulary = [
        f"{a}{b}{c}"
        for a in ("mar", "vel", "tor", "sin", "qua")
        for b in ("an", "ed", "il", "ov", "ur", "ent")
        for c in ("", "s", "ing", "ate", "ion")
    ]
    items: list[Item] = []
    for n in range(count):
        minute = n * 4.5
        if n > 10 and chance.random() < 0.125:
            origin = items[chance.randrange(max(0, n - 200), n)]
            relation = chance.choice(["exact", "copy", "abridged", "rewrite"])
            items.append(
                Item(
                    f"a{n}",
                    origin.cluster,
                    minute,
                    relation,
                    origin.id,
                    0.9,
                    origin.title,
                    origin.text,
                    f"Source {n % 40}",
                    origin.lang,
                )
            )
            continue
        words = chance.choices(vocabulary, k=220)
        items.append(
            Item(
                f"a{n}",
                f"a{n}",
                minute,
                title=" ".join(words[:9]).capitalize(),
                text=" ".join(words),
                source=f"Source {n % 40}",
                lang=("en", "de", "fr")[n % 3],
            )
        )
    return items
