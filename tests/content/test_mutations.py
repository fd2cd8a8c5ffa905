"""2,000 mutants of each of our fixtures: posts or a SourceError. How long each takes: tests/content/mutations.py."""

from pathlib import Path

import pytest

from tests.content.mutations import COUNT, FIXTURES, outcomes


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.timeout(170)
def test_a_mutant_becomes_posts_or_the_error_of_its_source(name: str, tmp_path: Path) -> None:
    wrong = [one for one in outcomes(name, COUNT, tmp_path) if one.wrong]
    assert wrong == []
