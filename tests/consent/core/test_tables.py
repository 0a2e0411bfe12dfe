"""Cells that no spreadsheet runs."""

import pytest

from consent.core.tables import neutral


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", " =1", "\t=1", "\n", "＝1"])
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Ada", "", " ", "a=1", "’t Hooft"])
def test_other_cells_stay(cell: str) -> None:
    assert neutral(cell) == cell
