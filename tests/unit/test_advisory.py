"""Agencies' own words for withdrawals and corrections, and stories that merely have such words in them."""

import pytest

from pipeline.advisory import advisory


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("KILL: Harbour fire story", "The wire asks clients to stop using it."),
        ("BC-EU--Harbour Fire, KILL", "Do not use the story slugged Harbour Fire."),
        ("Kill: Harbour Fire story", "It named the wrong owner."),
        ("MANDATORY KILL: Harbour fire", "Attention editors."),
        ("KILL", "A kill is mandatory."),
        ("", "KILL - Harbour fire\n\nThe item moved at noon names a wrong owner."),
        ("", "BC-Harbour, KILL ADVISORY\n\nThe item moved at noon names a wrong owner."),
        ("Harbour fire", "ATTENTION EDITORS: Please kill the item moved at noon."),
        ("Harbour fire", "Editors, please disregard the earlier item."),
        ("Harbour fire", "Please kill the story slugged Harbour Fire."),
        ("Harbour fire", "The Associated Press has withdrawn its story about the fire in the harbour."),
        ("(WITHDRAWN) Harbour fire", "The earlier item was wrong."),
        ("WITHDRAWN-Harbour fire", "The earlier item was wrong."),
        ("WITHDRAWAL: Harbour fire", "The earlier item was wrong."),
        ("Harbour fire", "Reuters withdraws the item on the fire in the harbour."),
        ("Harbour fire", "The story about the fire in the harbour has been withdrawn."),
        ("Stornierung: Hafenbrand", "Die Meldung war falsch."),
        ("Hafenbrand", "Achtung: dpa zieht die Meldung zum Brand im Hafen zurück."),
        ("Hafenbrand", "Die Meldung zum Brand im Hafen wird zurückgezogen."),
        ("ANNULATION: incendie dans le port", "La dépêche était fausse."),
        ("", "ATTENTION - ANNULE la dépêche sur l'incendie"),
    ],
)
def test_withdrawals_are_recognised(title: str, text: str) -> None:
    assert advisory(title, text) == "kill"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Correction: Harbour Fire story", "In a story on the fire the owner's name was wrong."),
        ("CORRECTED-Harbour fire kept burning", "Text."),
        ("CORRECTED (OFFICIAL)-Harbour fire", "Text."),
        ("CORRECTS to say two boats burned", "Text."),
        ("", "ATTENTION - CORRECTS number of boats ///\n\nTwo boats burned."),
        ("Harbour fire =(CORRECTION)=", "=(CORRECTION)= Two boats burned."),
        ("Harbour fire", "(Corrects number of boats in paragraph 2)\n\nTwo boats burned."),
        ("Harbour fire", "(This story corrects the number of boats)"),
        ("KORREKTUR: Hafenbrand", "Zwei Boote."),
        ("Berichtigung: Hafenbrand", "Zwei Boote."),
        ("Hafenbrand", "(Korrigiert Zahl der Boote)"),
        ("CORRECTIF: incendie", "Deux bateaux."),
    ],
)
def test_corrections_are_recognised(title: str, text: str) -> None:
    assert advisory(title, text) == "correction"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Two killed in harbour fire", "Two people were killed on Monday."),
        ("Fire kills two", "Kills two: the fire in the harbour."),
        ("Killing of owner shocks port", "The killing happened at noon."),
        ("Minister withdraws bill", "The minister withdrew the bill."),
        ("Troops withdrawn from port", "Withdrawn troops reached the border."),
        ("House of Correction closes", "Corrections officers protest."),
        ("Stocks enter correction", "A correction is a fall of a tenth."),
        ("Minister zieht Bilanz", "Er zieht eine Bilanz."),
        ("Storno im Hotel", "Gäste klagen über Stornogebühren."),
        ("Court annuls vote", "The court annulled the vote."),
        ("The story that was never told", "A report was withdrawn by the bank, the minister said."),
        ("", ""),
    ],
)
def test_stories_about_such_things_are_none(title: str, text: str) -> None:
    assert advisory(title, text) is None


def test_only_the_beginning_counts() -> None:
    assert advisory("Harbour fire", "Two boats burned. " * 20 + "\n\nKILL: Harbour fire") is None
