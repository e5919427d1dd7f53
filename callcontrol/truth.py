"""What the switch has, as one call is told of it."""

from __future__ import annotations

from collections.abc import Mapping

from callcontrol import inputs as inp
from callcontrol.call_state import CallState, open_channels
from callcontrol.session import CallSession
from pbx.terms import ChannelId, ChannelSnapshot

LEG = "-leg"  # channel ids of our own legs are <interaction>-leg<n>: their owner is in their name


def legs_of(state: CallState) -> frozenset[str]:
    onward = state.onward.channel if state.onward is not None else None
    asked = state.consult.channel if state.consult is not None else None
    legs = (*state.leaving, state.agent_channel, state.far, onward, asked, *open_channels(state))
    return frozenset(leg for leg in legs if leg is not None)


def truth_of(
    session: CallSession,
    truth: Mapping[ChannelId, ChannelSnapshot],
    gap_s: float,
    asked: frozenset[str],
    *,
    restarted: bool,
) -> inp.Reattach:
    """`asked`: the legs that were sent out before the truth was asked for."""
    customer = truth.get(ChannelId(session.channel))
    own, used = session.state.id + LEG, open_channels(session.state)
    return inp.Reattach(
        gap_s=gap_s,
        restarted=restarted,
        customer_up=customer is not None,
        customer_answered=customer is not None and customer.answered,
        bridged_to=None if customer is None else customer.bridged_to,
        legs={
            channel: snapshot.answered
            for channel, snapshot in truth.items()
            if channel.startswith(own) or channel in used
        },
        asked=asked,
    )
