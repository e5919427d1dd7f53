from __future__ import annotations

import pytest

from ivr_flows.protocol import Hangup
from tests.support.flows import Caller, flow_of


@pytest.mark.parametrize("cause", ["normal", "busy", "rejected", "unallocated", "congestion"])
def test_it_ends_the_call_with_its_cause(cause: str) -> None:
    caller = Caller(flow_of(f"  uno: {{kind: hangup, cause: {cause}}}"))
    assert caller.last[-1] == Hangup(cause)
    assert caller.state.is_over
