"""The kinds of `workbench inside`: declared once, offered everywhere."""

from typing import get_args

import pytest

from workbench.cli import main
from workbench.spec.inside import INSIDE_KINDS, InsideKind


def test_every_kind_is_described_and_the_command_offers_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(INSIDE_KINDS) == get_args(InsideKind)
    with pytest.raises(SystemExit):
        main(["inside", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for kind, info in INSIDE_KINDS.items():
        assert f"{kind}: {info.help}" in said
