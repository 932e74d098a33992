"""Every behaviour of an upstream, seen through every Python client: ../variants.json is the table."""

import json
from pathlib import Path

import pytest

from sdks import STREAM, WHOLE, ask

TABLE = json.loads((Path(__file__).parent.parent / "variants.json").read_text())


def judge(expected, outcome):
    error = outcome.error
    complete = error is None and outcome.text == TABLE["text"] and outcome.finish == "stop"
    broke = outcome.meant and outcome.text != ""
    failed = outcome.meant and outcome.status in (502, 503, 504)
    holds = {
        "complete": complete,
        "breaks": broke,
        "fails": failed,
        "breaks-or-fails": broke or failed,
        "refused": outcome.meant and outcome.status == 400,
        "meant": complete or outcome.meant or (error is None and outcome.text != ""),
    }[expected]
    assert holds, f"expected {expected}, got {outcome.text!r}, finish {outcome.finish}, error {error!r}"


def rows(kind, drivers):
    for row in TABLE["rows"]:
        usual = row["stream"] if kind == "stream" else row.get("whole", row["stream"])
        for sdk in drivers if usual else []:
            expected = row.get("except", {}).get(sdk, usual)
            yield pytest.param(row["variant"], sdk, expected, id=f"{row['variant']}-{sdk}")


@pytest.mark.parametrize("variant, sdk, expected", list(rows("stream", STREAM)))
def test_stream(variant, sdk, expected):
    judge(expected, ask(STREAM[sdk], f"mock-{variant}"))


@pytest.mark.parametrize("variant, sdk, expected", list(rows("whole", WHOLE)))
def test_whole(variant, sdk, expected):
    judge(expected, ask(WHOLE[sdk], f"mock-{variant}"))
