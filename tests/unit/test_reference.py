"""docs/reference.md: every verb, and up to date."""

from pathlib import Path

from mothership.commands import reference
from mothership.commands.table import VERBS

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_page_is_the_tables() -> None:
    assert PAGE.read_text() == reference.page(VERBS.values()), f"renew it: {reference.COMMAND}"


def test_every_verb_has_its_section_with_its_options_and_examples() -> None:
    page = reference.page(VERBS.values())
    for verb in VERBS.values():
        section = page.partition(f"\n## {verb.name}\n")[2].partition("\n## ")[0]
        assert verb.summary in section and all(example in section for example in verb.examples), verb.name
    assert "`--follow`" in page and "POST /api/v1/apps/{app}/config/set" in page
