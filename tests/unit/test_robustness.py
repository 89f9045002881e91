"""News as it really looks: the same story through many hands, and different stories through one."""

import re
from itertools import pairwise

import orjson
import pytest

from pipeline.article import Article
from pipeline.engine import Engine
from pipeline.matcher import Matcher, WindowRules
from tests.conftest import LABELS

FERRY = (
    "A car ferry with 214 passengers ran aground off the island of Marlund on Tuesday after losing power in heavy "
    "swell, the coastguard said.\n\n"
    "Three lifeboats and two helicopters were sent to the Nordstern, which was on its way from Kelby harbour to the "
    "mainland when both engines failed shortly after 6 a.m. local time. Nobody was seriously hurt, although seven "
    "people were treated for bruises.\n\n"
    '"We felt a jolt and then the lights went out," said Ingrid Halvorsen, a teacher who was travelling with 28 '
    'pupils. "The crew stayed calm and handed out life jackets within minutes."\n\n'
    "Tugboats hope to pull the vessel free at high tide on Wednesday. The operator, Skerry Lines, said divers had "
    "found a crack 40 centimetres long in the hull but no fuel was leaking. The maritime accident board has opened "
    "an investigation and will examine the maintenance records of the 31-year-old ship.\n\n"
    "Islanders have criticised the company repeatedly since it cancelled every fifth crossing last winter because of "
    "technical defects. The regional parliament is due to vote next month on whether to renew its licence."
)
HARVEST = (
    "Olive growers in the Tavira valley expect their poorest harvest in two decades after a spring frost destroyed "
    "much of the blossom.\n\n"
    "The cooperative, which presses fruit from 640 farms, forecast on Monday that its mills would receive 11,300 "
    "tonnes this season, less than half of the usual quantity. Prices paid to farmers have already risen to 1.90 "
    "crowns a kilogram.\n\n"
    "Agronomist Duarte Pires said a late cold spell in April had coincided with the flowering of the most common "
    "variety. Orchards on the slopes escaped with little damage.\n\n"
    "The ministry of agriculture promised bridging loans for smallholders and is considering a tax deferral. "
    "Exporters warned that bottlers abroad would turn to cheaper oil from overseas if shipments fell short."
)
LIBRARY = (
    "The city of Brenholm will reopen its central library on Saturday, four years after a burst pipe flooded the "
    "reading rooms and ruined 60,000 volumes.\n\n"
    "Restorers freeze-dried the most valuable manuscripts and returned about two thirds of them to the shelves. "
    "The renovation cost 48 million crowns, a fifth more than planned, because asbestos was discovered behind the "
    "panelling of the eastern wing.\n\n"
    "Librarian Petra Oswald said visitors would find longer opening hours, a music studio and a roof garden. "
    "Membership remains free for everybody younger than 25."
)


def linked(
    engine: Engine, left: str, right: str, hours: float = 0, titles: tuple[str, str] = ("", "")
) -> bool:
    """Tell whether two texts link, and are candidates, ``hours`` apart."""
    comparison, candidate, _ = engine.score_pair(
        Article("a", left, titles[0], published_ms=1_700_000_000_000),
        Article("b", right, titles[1], published_ms=1_700_000_000_000 + int(hours * 3_600_000)),
    )
    return comparison.linked and candidate


def spell(text: str) -> str:
    """Write numbers as words."""
    words = {
        "214": "two hundred and fourteen",
        "28": "twenty-eight",
        "40": "forty",
        "31": "thirty-one",
        "6": "six",
    }
    return re.sub(r"\b\d+\b", lambda found: words.get(found[0], found[0]), text)


def british_to_american(text: str) -> str:
    """Respell and use the other side's terms of measure."""
    for british, american in (
        ("harbour", "harbor"),
        ("travelling", "traveling"),
        ("centimetres", "centimeters"),
        ("criticised", "criticized"),
        ("licence", "license"),
    ):
        text = text.replace(british, american)
    return text


DISGUISES = {
    "dateline": "KELBY, Nov 14 (Reuters) - " + FERRY,
    "dateline with a dash": "KELBY — " + FERRY,
    "byline": "By Jane Roe and John Q. Public\n\n" + FERRY,
    "agency credit": "Kelby (AFP) - " + FERRY + "\n\n(Reporting by Jane Roe; Editing by John Public)",
    "copyright line": FERRY + "\n\nCopyright 2023 The Daily Example. All rights reserved.",
    "caption before the dateline": (
        "In this photo a ferry leans on rocks near a lighthouse while people watch from the shore. (AP Photo/Jane Roe) "
        "KELBY (AP) — " + FERRY
    ),
    "caption in a paragraph": FERRY.replace(
        "\n\nTugboats", "\n\nFile photo: the Nordstern leaving Kelby in spring.\n\nTugboats"
    ),
    "read more": FERRY.replace("\n\nTugboats", "\n\nRead more: Ten shipwrecks that made history\n\nTugboats"),
    "newsletter": FERRY
    + "\n\nSign up for our morning newsletter and never miss a story.\n\nFollow us on Facebook.",
    "links": FERRY + " Watch more: https://video.example/ferry?id=77 Follow on Twitter: http://t.example/x",
    "html remains": "<div class='story'><p>"
    + FERRY.replace("\n\n", "</p><p>").replace("Skerry Lines", "Skerry&nbsp;Lines")
    + "</p><script>track('x');</script></div>",
    "script without tags": FERRY
    + " window._ads = window._ads || []; _ads.push({mode: 'thumbs', place: 'below'});",
    "curly quotes": FERRY.replace(' "', " “").replace('"', "”").replace("'", "’"),
    "american spelling": british_to_american(FERRY),
    "all capitals": FERRY.upper(),
    "numbers as words": spell(FERRY),
    "flash before the story": "BREAKING: Ferry aground off Marlund\n\nMore to follow.\n\n" + FERRY,
    "replacement characters": FERRY.replace('"', "ï¿½"),
    "mojibake": FERRY.replace(' "', " â€œ").replace('"', "â€\x9d"),
    "mojibake twice": FERRY.replace(' "', " Ã¢â‚¬Å“").replace('"', "Ã¢â‚¬\x9d"),
    "ocr": FERRY.replace("m", "rn", 6).replace("l", "1", 5),
    "hard line ends": "\n".join(
        line for paragraph in FERRY.split("\n\n") for line in re.findall(r".{1,64}(?:\s|$)", paragraph)
    ),
    "no paragraphs": FERRY.replace("\n\n", " "),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_the_same_story_links_in_every_disguise(engine: Engine, disguise: str) -> None:
    assert linked(engine, FERRY, DISGUISES[disguise])


def test_a_rewrite_in_other_words_links(engine: Engine) -> None:
    rewrite = (
        "The coastguard says a car ferry carrying 214 passengers went aground near Marlund island on Tuesday when it "
        "lost power in heavy swell.\n\n"
        "Two helicopters and three lifeboats headed for the Nordstern, bound for the mainland from Kelby harbour, "
        "after its engines both failed soon after 6 a.m. There were no serious injuries; seven people had bruises "
        "treated.\n\n"
        'Teacher Ingrid Halvorsen, on board with 28 pupils, said there was a jolt before the lights went out. "The '
        'crew stayed calm," she said, adding that life jackets were handed out within minutes.\n\n'
        "At high tide on Wednesday tugboats will try to free the vessel. Divers found a 40-centimetre crack in its "
        "hull, but no leaking fuel, said Skerry Lines, its operator. An investigation by the maritime accident board "
        "will look at maintenance records of the ship, which is 31 years old.\n\n"
        "The company, which cancelled every fifth crossing last winter over technical defects, has repeatedly been "
        "criticised by islanders. Next month the regional parliament votes on renewing its licence."
    )
    assert linked(engine, FERRY, rewrite)


def test_an_abridged_copy_links(engine: Engine) -> None:
    assert linked(engine, FERRY, "\n\n".join(FERRY.split("\n\n")[:3]))


@pytest.mark.parametrize(("left", "right"), [(FERRY, HARVEST), (HARVEST, LIBRARY), (LIBRARY, FERRY)])
def test_unrelated_stories_of_one_source_do_not_link_by_their_furniture(
    engine: Engine, left: str, right: str
) -> None:
    def delivered(text: str) -> str:
        return (
            "Media playback is unsupported on your device\n\nImage copyright Getty Images\n\n"
            "Story continued below\n\n" + text + "\n\nAdvertisement\n\nSign up for daily newsletters\n\n"
            "Slideshow (6 images)\n\nMore in World News\n\nShare this article on Facebook and Twitter\n\n"
            "Filed under politics, economy, weather\n\nVia Tumblr\n\n"
            "Subscribe to our channel: https://video.example/subscribe Like us on Facebook: http://fb.example/us "
            "Our standards: https://example.org/standards\n\nCopyright The Daily Example. All rights reserved."
        )

    assert not linked(engine, delivered(left), delivered(right))


def test_a_template_with_other_names_and_figures_does_not_link(engine: Engine) -> None:
    template = (
        "{0} said it is issuing a {1} mln dlr eurobond due {2} paying {3} pct and priced at {4}, lead manager {5} "
        "said. The bond is available in denominations of 5,000 dlrs and will be listed in Luxembourg. Fees comprise "
        "1-1/4 pct selling concession with 5/8 pct for management and underwriting combined. Payment date is {2}."
    )
    first = template.format(
        "Alderon Finance NV", 150, "April 2, 1992", "7-3/4", "101-3/4", "Brightwater Capital"
    )
    second = template.format("Port of Kelby", 85, "May 19, 1995", "9-1/8", "100-7/8", "Union Bank of Tavira")
    assert not linked(engine, first, second)


def test_the_same_short_template_of_the_next_day_does_not_link(engine: Engine) -> None:
    monday = (
        "The central bank entered the securities market to arrange 1.5 billion crowns of customer repurchase "
        "agreements, a spokesman said. Dealers said overnight funds were trading at 6-1/16 pct at the time of the "
        "injection of temporary reserves into the banking system."
    )
    tuesday = monday.replace("1.5 billion", "2.3 billion").replace("6-1/16", "5-7/8")
    assert not linked(engine, monday, tuesday, hours=24)
    assert not linked(engine, monday, monday.replace("6-1/16", "6-1/8"), hours=96)


def test_a_longer_form_filled_in_twice_on_one_day_does_not_link(engine: Engine) -> None:
    form = (
        "{0} plans to offer {1} mln crowns of convertible bonds through {2}, which leads a group of eleven houses, in "
        "a filing with the exchange on Tuesday. The bonds carry a coupon of {3} pct, are convertible into ordinary "
        "shares of the company at a premium of between 18 and 22 pct over the closing price on the day of pricing, and "
        "cannot be called for three years unless the shares trade at 150 pct of the conversion price for 30 days. "
        "Proceeds will repay short-term bank debt, finance the new plant at {4} and serve general corporate purposes, "
        "the filing says. Orders are taken until {5}, trading should begin within a week, and underwriters hold an "
        "option on a further {6} mln crowns to cover demand. A spokesman for {0} declined to comment beyond the filing."
    )
    first = form.format("Alderon Shipping", 150, "Brightwater Capital", "4.75", "Kelby", "March 12", "22.5")
    second = form.format(
        "Tavira Foods", 90, "Union Bank of Marlund", "6.25", "Port Sorrel", "March 19", "13.5"
    )
    assert not linked(engine, first, second)
    assert linked(engine, first, first.replace("declined to comment beyond the filing", "had no comment"))


def test_a_flash_links_to_its_repetition_but_not_to_another_flash(engine: Engine) -> None:
    flash = (
        "BREAKING: Car ferry Nordstern runs aground off Marlund island with 214 passengers aboard after engine "
        "failure, coastguard says; lifeboats and helicopters under way"
    )
    assert linked(engine, flash, flash.replace("BREAKING: ", "URGENT - "))
    other = (
        "BREAKING: Olive cooperative in Tavira valley forecasts poorest harvest in two decades after spring frost, "
        "mills to receive 11,300 tonnes, ministry promises loans"
    )
    assert not linked(engine, flash, other)


@pytest.mark.parametrize(
    "slug",
    ["FLASH - ", "BREAKING: ", "Breaking news: ", "URGENT-", "UPDATE 1-", "*** ALERT *** ", "RPT-FLASH-"],
)
@pytest.mark.parametrize("titled", [False, True])
def test_a_short_flash_links_to_itself_whatever_stands_before_it(
    engine: Engine, slug: str, titled: bool
) -> None:
    flash = "Skerry Lines chief executive Ingrid Halvorsen to step down at end of June"
    titles = (slug + flash, "") if titled else ("", "")
    assert linked(engine, slug + flash, flash + ".", titles=titles)
    assert not linked(
        engine, slug + flash, slug + "Tavira cooperative chairman Duarte Pires to step down in May"
    )


def test_a_follow_up_with_the_old_background_does_not_link(engine: Engine) -> None:
    background = FERRY
    tops = [
        "\n\n".join(f"{who} told the {where} on {day} that {what}." for who, where, what in said)
        for day, said in (
            (
                "Monday",
                (
                    (
                        "Prime Minister Elin Brandvold",
                        "chamber in Kelby",
                        "she would send a commission to the coast",
                    ),
                    (
                        "Her coalition partner Mikkel Aune",
                        "press afterwards",
                        "taxes on diesel had to fall first",
                    ),
                    (
                        "Opposition leader Signe Torkild",
                        "broadcaster",
                        "neither plan deserved a vote before autumn",
                    ),
                    ("Fishermen", "harbour authority", "quotas for cod and haddock were the greater worry"),
                    ("Bankers", "central bank", "mortgage rates had made moorings unaffordable for families"),
                    ("A union of pilots", "labour court", "night shifts broke the agreement signed in Oslo"),
                ),
            ),
            (
                "Thursday",
                (
                    (
                        "Judge Anders Vik",
                        "packed court",
                        "the commission lacked a lawful mandate and must disband",
                    ),
                    (
                        "Professor Runa Dahl",
                        "law review",
                        "appeals could keep lawyers busy throughout winter",
                    ),
                    ("Shareholders", "annual meeting", "dividends should pay for a second hull inspection"),
                    (
                        "The bishop of Marlund",
                        "congregation",
                        "prayers were owed to rescuers and engineers alike",
                    ),
                    ("Insurers", "exchange in London", "premiums on elderly vessels would double overnight"),
                    ("Teachers", "education board", "swimming lessons ought to be compulsory again"),
                ),
            ),
        )
    ]
    before, after = (f"{top}\n\n{background}" for top in tops)
    assert not linked(engine, before, after, hours=20)


def test_the_same_pictures_under_two_leads_do_not_link(engine: Engine) -> None:
    series_photo, leaving, led, flowers = (
        f"{caption} ( Associated Press ) "
        for caption in (
            "In this undated picture by the broadcaster, the model Liv Sandnes poses on a beach during the shooting of a "
            "show which premieres...",
            "The runner Jonas Amberg leaves the police station east of Kelby, on Thursday, Feb. 14. Amberg was taken "
            "into custody after a 30-year-old woman, Liv Sandnes,...",
            "Jonas Amberg, centre, is led from the station on the way to court in Kelby, on Friday, Feb. 15. He arrived "
            "at the courthouse for his bail hearing in the...",
            "Flowers lie before the gate of the house of Jonas Amberg in a suburb of Kelby, on Friday, Feb. 15, after "
            "the death of the model Liv Sandnes in the night to...",
        )
    )
    numb = (
        "The sprinter Jonas Amberg is numb with shock and grief after the shooting of his girlfriend, his uncle said on "
        "Saturday, and the family strongly denies that he planned to kill her. Relatives gathered at a farm in the "
        "hills, where the uncle read a statement of four lines to reporters and took no questions from them. "
    )
    series = (
        "The national broadcaster will show a series in the jungle as planned although one of its contestants, the "
        "model Liv Sandnes, was shot dead two days ago at the home of her partner. Executives debated for a day before "
        "they decided, and a tribute of two minutes will open the first of ten episodes this evening at eight. "
    )
    assert not linked(engine, numb + series_photo + leaving + led + flowers, series + leaving + led + flowers)
    assert linked(engine, numb + series_photo + leaving + led + flowers, numb + series_photo)
    many = 3 * (leaving + led + flowers)  # beyond the part of a text in which the first picture must stand
    assert not linked(engine, numb + series_photo + many, series + leaving + many)


def test_titles_of_flashes_count_and_titles_of_stories_do_not(engine: Engine) -> None:
    assert linked(engine, FERRY, FERRY, titles=("Ferry aground", "Passengers rescued off Marlund"))
    assert not linked(
        engine, "More to follow.", "More to follow.", titles=("Ferry aground", "Poor olive harvest feared")
    )


def test_updates_with_new_leads_stay_one_story(engine: Engine) -> None:
    leads = (
        "UPDATE 1 - All passengers of the grounded ferry Nordstern have been brought ashore, the coastguard said late "
        "on Tuesday.\n\n",
        "UPDATE 2 - Tugboats began to pull the ferry Nordstern off the rocks near Marlund early on Wednesday.\n\n",
        "UPDATE 3 - Prosecutors questioned the captain of the ferry Nordstern on Wednesday.\n\n",
    )
    versions = [FERRY, *(lead + FERRY for lead in leads)]
    for before, after in pairwise(versions):
        assert linked(engine, before, after, hours=5)


def test_the_sample_stream_has_no_link_between_look_alikes(engine: Engine, sample: list[Article]) -> None:
    apart = orjson.loads(LABELS.read_bytes())["apart"]
    articles = {article.id: article for article in sample}
    wrong = [
        reason
        for left, right, reason in apart
        if engine.score_pair(articles[left], articles[right])[0].linked
    ]
    assert wrong == []


def clusters(engine: Engine, texts: list[str]) -> list[int]:
    """Return each text's cluster, in one window."""
    articles = [Article(f"a{i}", text) for i, text in enumerate(texts)]
    matcher = Matcher(engine.fingerprint, WindowRules())
    sketches = engine.sketcher.sketch(articles)
    matcher.match([a.id for a in articles], [0] * len(articles), sketches, [""] * len(articles))
    place = {}
    for number, cluster in enumerate(matcher.clusters()):
        place.update(dict.fromkeys(cluster.article_ids, number))
    return [place[a.id] for a in articles]


def brief(text: str) -> str:
    """The first paragraph, as digests print it."""
    return text.split("\n\n")[0]


COLLECTIONS = {
    "digest": "Good morning, here is what you need to know today.\n\n"
    + "\n\n".join(brief(t) for t in (LIBRARY, FERRY, HARVEST)),
    "live blog": "\n\n".join(
        f"{hour}:0{hour - 6} {brief(text)}\n\nWe will keep you posted on further developments here."
        for hour, text in zip((7, 8, 9), (HARVEST, LIBRARY, FERRY), strict=True)
    ),
    "listing": "\n".join(f"- {brief(t)[:60]}" for t in (FERRY, HARVEST, LIBRARY)),
    "round-up of whole stories": "\n\n".join((LIBRARY, HARVEST, FERRY)),
}


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_collections_do_not_chain_stories(engine: Engine, collection: str) -> None:
    found = clusters(engine, [FERRY, HARVEST, LIBRARY, COLLECTIONS[collection]])
    assert len(set(found[:3])) == 3


def test_a_digest_does_not_chain_whatever_its_place(engine: Engine) -> None:
    found = clusters(engine, [COLLECTIONS["round-up of whole stories"], HARVEST, FERRY, LIBRARY])
    assert len(set(found[1:])) == 3
