"""Talking to a flow in a terminal: lines in, lines out. Also for pages, which send the same lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from ivr_flows.faults import UnexpectedInput
from ivr_flows.protocol import BotExit, Failure, QueueExit, TransferExit
from ivr_flows.rehearsal import NotWaitedFor, Rehearsal, told_fault

HELP = """\
  1234*#           press keys                  (empty line)  say nothing
  some words       say them                    /hangup       the caller hangs up
  /answer 200 {…}  the system's answer         /fail timeout (unreachable, breaker, not_json, …)
  /queue talked    (timeout, no_agents, …)     /transfer no_answer  (talked, busy, failed)
  /record 12       leave 12 s of message       /bot done {…} (person, unavailable)
  /wait 30         30 s pass                   /vars /path   what it knows, where it was"""


class Conversation:
    """`say` takes one line and gives the lines that answer it."""

    def __init__(self, call: Rehearsal) -> None:
        self.call = call
        self._told = self._faults = 0

    def begin(self) -> list[str]:
        self.call.begin()
        return self._news()

    @property
    def is_over(self) -> bool:
        return self.call.is_over

    def say(self, line: str) -> list[str]:
        line = line.strip()
        try:
            extra = self._take(line)
        except (NotWaitedFor, UnexpectedInput, ValueError) as error:
            return [f"  ! {error}"]
        return [*extra, *self._news()]

    def _take(self, line: str) -> list[str]:
        if line.startswith("/"):
            word, _, rest = line[1:].partition(" ")
            if word == "vars":
                return [f"  {name} = {value!r}" for name, value in self.call.state.variables.items()]
            if word == "path":
                return ["  " + " > ".join(self.call.path)]
            if word not in _COMMANDS:
                return [HELP]
            _COMMANDS[word](self.call, rest.strip())
        elif re.fullmatch(r"[0-9*#]+", line):
            self.call.press(line)
        elif line:
            self.call.say(line)
        else:
            self.call.silence()
        return []

    def _news(self) -> list[str]:
        self.call.let_it_speak()
        lines = [f"  « {text}" for text in self.call.said[self._told :]]
        self._told = len(self.call.said)
        faults = self.call.faults
        lines += [f"  ! a fault at {told_fault(note)}" for note in faults[self._faults :]]
        self._faults = len(faults)
        return [*lines, f"  [{self.call.standing()}]"]


def _answer(call: Rehearsal, rest: str) -> None:
    status, _, body = rest.partition(" ")
    call.answer(int(status or "200"), json.loads(body) if body.strip() else None)


def _bot(call: Rehearsal, rest: str) -> None:
    how, _, slots = rest.partition(" ")
    call.bot(BotExit(how or "done"), json.loads(slots) if slots.strip() else {})


_COMMANDS: Mapping[str, Callable[[Rehearsal, str], None]] = {
    "answer": _answer,
    "fail": lambda call, rest: call.fail(Failure(rest or "timeout")),
    "queue": lambda call, rest: call.queue(QueueExit(rest or "talked")),
    "transfer": lambda call, rest: call.transfer(TransferExit(rest or "no_answer")),
    "record": lambda call, rest: call.record(float(rest or "10")),
    "bot": _bot,
    "wait": lambda call, rest: call.pass_time(float(rest or "1")),
    "hangup": lambda call, _rest: call.hang_up(),
}
