"""The verifier's rules: what decides beside the model, and in which order."""

import numpy as np
import pytest

from pipeline.article import Article
from pipeline.engine import Engine
from pipeline.features import (
    CONTAINED,
    DIFFERING_NUMBERS,
    ENTITIES,
    FACTS,
    FEWEST_SENTENCES,
    FEWEST_WORDS,
    HEAVY_LEAD,
    LENGTH_RATIO,
    LIGHT_LEAD,
    NAMES,
    NUMBERS,
    ORDER,
    PARTNERED,
    RUN,
    SENTENCES,
)
from pipeline.rules import RULES, rule_of, rules

# Two long texts of which nothing speaks against a link.
REWRITE = {
    NUMBERS: 0.7,
    ENTITIES: 0.6,
    ORDER: 0.9,
    SENTENCES: 0.75,
    RUN: 0.3,
    LENGTH_RATIO: 0.9,
    FEWEST_WORDS: 180,
    NAMES: 1,
    DIFFERING_NUMBERS: 2,
    CONTAINED: 0.6,
    HEAVY_LEAD: 0.6,
    LIGHT_LEAD: 0.6,
    FEWEST_SENTENCES: 16,
    PARTNERED: 0.8,
}
SURE = 5.0

# A trial, by two reporters in the same room: their facts are the same, their sentences and their order are not.
COURT = (
    "A jury in Harrow Falls convicted the former mayor Lionel Prask on Tuesday of taking bribes for building permits.",
    "Prask, 61, sat without moving while the foreman read eleven verdicts of guilty.",
    "He was acquitted of one count, that he had lied to a federal agent in 2016.",
    "Prosecutors said that the developer Corwin Estates paid him 340,000 dollars in five years.",
    "The money went through a consulting firm in the name of his sister Adele.",
    "It had no staff, no office and no telephone.",
    "The main witness was Corwin's bookkeeper Hester Oyelaran, who kept a second ledger at home.",
    "She found it hard, she said in the second week, to look at a man for whom she had once voted.",
    "The defence called no witness at all and rested within three minutes.",
    "Attorney Paul Remick argued that every payment had been a loan between old friends.",
    "Judge Imelda Stroud set sentencing for 9 September.",
    "The offences carry up to 20 years each, although guidelines suggest six or seven.",
    "Outside the courthouse, a man blew a trumpet until officers led him away.",
    "Voters will fill the office in November; four candidates have filed.",
)
COLUMN = (
    "For a decade nothing was built in Harrow Falls without a word from Lionel Prask.",
    "On Tuesday twelve citizens needed just four hours to say what that word had cost.",
    "Guilty, eleven times: the former mayor, 61, had sold permits like raffle tickets.",
    "Four people now want his desk, and one of them taught him chemistry.",
    "Paul Remick, his lawyer, promised an appeal before the corridor had emptied.",
    "Loans among friends, he calls the 340,000 dollars, and blames an overzealous district office.",
    "The jurors believed a ledger instead, bound in green cloth, which a bookkeeper hid in her pantry.",
    "Hester Oyelaran had voted for Prask in 2009.",
    "Nobody from Corwin Estates was in court to hear the verdict; the firm settled in spring.",
    "Its towers stand half finished by the river, cranes and all.",
    "Adele Prask, whose name was on the invoices, was never charged.",
    "Neighbours describe a woman who thought that she was signing for a garden club.",
    "Judge Imelda Stroud will pronounce sentence in September.",
    "Few expect the twenty years that the law allows for each of them.",
    "Somebody played the trumpet on the steps, rather well.",
)


def facts_of(changes: dict[int, float]) -> np.ndarray:
    facts = np.zeros(FACTS)
    for fact, value in (REWRITE | changes).items():
        facts[fact] = value
    return facts


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("model", {}),
        ("short", {FEWEST_WORDS: 14, FEWEST_SENTENCES: 1}),
        ("template", {FEWEST_WORDS: 40, FEWEST_SENTENCES: 3, NUMBERS: 0.4}),
        ("template", {FEWEST_WORDS: 40, FEWEST_SENTENCES: 3, ENTITIES: 0.3}),
        ("template", {NUMBERS: 0.2, ENTITIES: 0.3}),
        ("template", {NUMBERS: 0.45, ENTITIES: 0.45}),
        ("model", {NUMBERS: 0.45, ENTITIES: 0.45, RUN: 0.2}),
        ("model", {NUMBERS: 0.45, ENTITIES: 0.45, NAMES: 0}),
        ("template", {NUMBERS: 0.35, ENTITIES: 0.35, NAMES: 0}),
        ("model", {NUMBERS: 0.2}),
        ("roundup", {LENGTH_RATIO: 0.3, HEAVY_LEAD: 0.1}),
        ("tops", {HEAVY_LEAD: 0.2, LIGHT_LEAD: 0.2}),
        ("model", {HEAVY_LEAD: 0.2}),
        ("own", {PARTNERED: 0.4, ORDER: 0.7}),
        ("own", {PARTNERED: 0.4, ORDER: 0.8}),
        ("model", {PARTNERED: 0.4}),
        ("model", {ORDER: 0.7}),
        ("model", {PARTNERED: 0.4, ORDER: 0.7, SENTENCES: 0.85}),
        ("model", {PARTNERED: 0.4, ORDER: 0.8, FEWEST_SENTENCES: 8}),
        ("order", {ORDER: 0.7, SENTENCES: 0.7}),
        ("order", {ORDER: 0.7, SENTENCES: 0.7, FEWEST_SENTENCES: 4, FEWEST_WORDS: 60}),
        ("model", {SENTENCES: 0.7}),
    ],
)
def test_a_rule_outvotes_the_model(rule: str, changes: dict[int, float]) -> None:
    facts = facts_of(changes)
    assert rule_of(facts) == rule
    assert (rules(SURE, facts) > 0) is (rule == "model")
    assert rules(-SURE, facts) == -SURE


@pytest.mark.parametrize(
    "changes", [{}, {FEWEST_WORDS: 13, FEWEST_SENTENCES: 1}, {PARTNERED: 0.4, ORDER: 0.7}]
)
def test_verbatim_texts_link_whatever_else(changes: dict[int, float]) -> None:
    facts = facts_of(changes | {CONTAINED: 0.97, RUN: 0.9, DIFFERING_NUMBERS: 1})
    assert rule_of(facts) == "verbatim"
    assert rules(-SURE, facts) > 0


def test_every_rule_is_explained() -> None:
    assert {"identical", "verbatim", "short", "template", "roundup", "tops", "own", "order", "model"} == set(
        RULES
    )


def test_two_reports_from_one_room_do_not_link(engine: Engine) -> None:
    comparison, _, _ = engine.score_pair(Article("a", "\n\n".join(COURT)), Article("b", "\n\n".join(COLUMN)))
    assert comparison.rule == "own"
    assert not comparison.linked
