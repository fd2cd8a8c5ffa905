"""A share of the mutants; `python -m tests.content.mutations` takes 2,000 of each and tells how long."""

from pathlib import Path

import pytest

from tests.content.mutations import FIXTURES, outcomes

SHARE = 150


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.timeout(170)
def test_a_mutant_becomes_posts_or_the_error_of_its_source(name: str, tmp_path: Path) -> None:
    wrong = [one for one in outcomes(name, SHARE, tmp_path) if one.wrong]
    assert wrong == []
