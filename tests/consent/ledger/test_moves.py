"""The table of legal moves, against the one written out in the model."""

import pytest

from consent.core.errors import IllegalMove
from consent.ledger import moves
from consent.ledger.models import Consent
from tests.model import LEGAL, TARGET


@pytest.mark.parametrize("status", [None, *Consent.Status.values])
@pytest.mark.parametrize("move", moves.MOVES)
def test_only_the_legal_moves_are_legal(move: str, status: str | None) -> None:
    if status in LEGAL[move]:
        assert moves.check_move(move, status) == TARGET[move]
    else:
        with pytest.raises(IllegalMove):
            moves.check_move(move, status)
