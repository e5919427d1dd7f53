"""Random valid flows, random callers: every call ends within its limits, and every state survives a restart."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr_flows import engine
from ivr_flows.flow import Flow
from ivr_flows.loader import load
from ivr_flows.protocol import (
    Action,
    Answer,
    Answered,
    Begin,
    BotExit,
    CallerLeft,
    Collect,
    Collected,
    CollectEnd,
    Converse,
    Conversed,
    Enqueue,
    Failure,
    Hangup,
    Input,
    Note,
    Play,
    Played,
    QueueExit,
    QueueLeft,
    Record,
    Recorded,
    Request,
    Response,
    Resume,
    Transfer,
    TransferEnded,
    TransferExit,
)
from ivr_flows.state import FlowState, Phase
from tests.support.flow_wishes import check_wish
from tests.support.flows import check_actions, through_json

# `f` enters the other one of two flows.
TARGETS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
TEXTS = st.sampled_from(["Hola", "{{ t }}", "{{ n }} {{ call.from }}", "{% if n < t %}x{% endif %}"])
PROMPTS = st.lists(TEXTS, min_size=1, max_size=2)
CONDITIONS = st.sampled_from(["n > 3", "t == ''", "n > t", "call.from == '0'", "1 / n > 0", "true_", "False"])
CONDITIONS = CONDITIONS.filter(lambda text: text != "true_")
KEYS = st.sampled_from(list("0123456789*#"))


def node(kind: str, optional: dict[str, st.SearchStrategy[object]] | None = None, **fields: object) -> object:
    strategies = {n: f if isinstance(f, st.SearchStrategy) else st.just(f) for n, f in fields.items()}
    return st.fixed_dictionaries({"kind": st.just(kind), **strategies}, optional=optional or {})


QUESTION: dict[str, st.SearchStrategy[object]] = {
    "repeats": st.integers(0, 3),
    "on_no_input": TARGETS,
    "on_no_match": TARGETS,
    "barge_in": st.booleans(),
    "no_input": PROMPTS,
}
WORDS = st.sampled_from(["0", "1", "hola", ""])
REQUESTS = st.fixed_dictionaries(
    {"system": st.just("s"), "url": st.sampled_from(["/x", "/{{ t }}?{{ call.from }}", "/{{ n | money }}"])},
    optional={
        "method": st.sampled_from(["GET", "POST"]),
        "body": st.sampled_from([{"a": "{{ t }}"}, {"a": {"b": [{"expr": "n"}, {"expr": "[1]"}]}}]),
    },
)
TAKES = st.dictionaries(st.sampled_from(["n", "t", "d"]), st.sampled_from(["a", "xs.0.a", "xs.#"]))
NODES = st.one_of(
    node("play", {"barge_in": st.booleans()}, prompts=PROMPTS, next=TARGETS),
    node("menu", QUESTION, prompts=PROMPTS, options=st.dictionaries(KEYS, TARGETS, min_size=1, max_size=4)),
    node("collect", {**QUESTION, "person": st.booleans(), "min_digits": st.integers(1, 3)},
         prompts=PROMPTS, into=st.sampled_from(["n", "t", "d"]), max_digits=st.integers(3, 6), next=TARGETS),
    node("queue", name="q", then=st.fixed_dictionaries({"talked": TARGETS, "timeout": TARGETS},
                                                       optional={"no_agents": TARGETS, "unknown_queue": TARGETS})),
    node("hangup"),
    node("set", values=st.sampled_from([{"n": {"expr": "n + 1"}}, {"n": {"expr": "n * 1000"}}, {"t": "{{ t }}x{{ t }}"},
                                        {"d": "{{ t }}"}, {"t": {"expr": "t + call.from"}}]), next=TARGETS),
    node("condition", **{"if": CONDITIONS, "then": TARGETS, "else": TARGETS}),
    node("goto", to=TARGETS),
    node("answer", next=TARGETS),
    node("switch", value=st.sampled_from(["n", "t", "call.from"]),
         cases=st.dictionaries(WORDS, TARGETS, min_size=1, max_size=3),
         **{"else": TARGETS}),
    node("schedule", {"holiday": TARGETS, "opens_at": st.just("n")}, calendar=st.just("oficina"),
         open=TARGETS, closed=TARGETS),
    node("language", language=st.sampled_from(["es", "en", "qu"]), next=TARGETS),
    node("tag", tags=PROMPTS, next=TARGETS),
    node("http", {"status": st.dictionaries(st.sampled_from(["404", "500"]), TARGETS)}, request=REQUESTS, take=TAKES,
         next=TARGETS, fallback=TARGETS),
    node("announce", {"none": TARGETS, "count": st.just("n")}, request=REQUESTS, list=st.just("xs"),
         each=st.sampled_from(["{{ item.a }}", "{{ item.a | time }}", "{{ item.a | count('día') }}"]),
         next=TARGETS, fallback=TARGETS),
    node("identify", {**QUESTION, "sure": st.just("n")}, by=st.lists(st.sampled_from(["caller", "cedula", "contract"]),
         min_size=1), request=REQUESTS, take=TAKES, prompts=PROMPTS, next=TARGETS, unknown=TARGETS, fallback=TARGETS),
    node("collect", {**QUESTION, "read_back": st.booleans()}, prompts=PROMPTS, into=st.sampled_from(["n", "t", "d"]),
         next=TARGETS, **{"as": st.sampled_from(["cedula", "contract", "phone"])}),
    node("collect", {**QUESTION, "read_back": st.booleans()}, prompts=PROMPTS, into="t",
         next=TARGETS, **{"as": st.sampled_from(["date", "amount"])}),
    node("voicemail", {"none": TARGETS}, mailbox="m", prompts=PROMPTS, next=TARGETS),
    node("transfer", to=st.sampled_from([{"number": "{{ t }}"}, {"phone": "x"}]), timeout_s=5,
         then=st.fixed_dictionaries({"failed": TARGETS}, optional={"talked": TARGETS})),
    node("transfer", to=st.sampled_from([{"flow": "azar"}, {"flow": "otro"}])),
    node("bot", name="b", take=TAKES, next=TARGETS, unavailable=TARGETS),
    node("callback", queue="q", next=TARGETS, declined=TARGETS),
    node("survey", name="s", questions=st.lists(st.fixed_dictionaries({"id": st.just("q"), "prompts": PROMPTS}),
                                               min_size=1, max_size=2), next=TARGETS),
    node("record", QUESTION, prompts=PROMPTS, next=TARGETS),
    node("subflow", {"with": st.just({"t": "{{ t }}"}), "take": st.just({"t": "t"})},
         flow=st.sampled_from(["azar", "otro", "nadie"]), next=TARGETS),
    node("return"),
)  # fmt: skip


def documents(flow_id: str, other: str) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries(
        {
            "id": st.just(flow_id),
            "entry": st.one_of(TARGETS, st.just("f")),
            "variables": st.just({"n": "integer", "t": "text", "d": "digits"}),
            "calendars": st.just({"oficina": {"weekly": {"mon-fri": ["08:00-17:00"]}}}),
            "nodes": st.fixed_dictionaries(
                {**dict.fromkeys("abcde", NODES), "f": node("subflow", flow=other, next=TARGETS)}
            ),
            "limits": st.fixed_dictionaries(
                {"steps": st.integers(1, 60), "visits": st.integers(1, 15), "depth": st.integers(1, 4)}
            ),
        },
        optional={
            "person": st.fixed_dictionaries({"digit": KEYS, "to": TARGETS}),
            "on_error": TARGETS,
            "apology": PROMPTS,
        },
    )


DOCUMENTS = documents("azar", "otro")
# Two that enter each other: each has a way to a person and out of a fault of its own, or has none.
PAIRS = st.tuples(DOCUMENTS, documents("otro", "azar"))
FACTS = st.dictionaries(
    st.sampled_from(["from", "to", "x"]), st.one_of(st.text(max_size=20), st.none(), st.integers(), st.floats())
)
# The longest call: every step waits, asks as often as a question may, is resumed each time, and then says sorry.
MOST_INPUTS = (60 + engine.STEPS_AFTER_FAULT) * 5 + 10


def flow_from(document: object) -> Flow:
    loaded = load(json.dumps(document, ensure_ascii=False))
    assert loaded.flow is not None, loaded.findings
    return loaded.flow


def finder(*flows: Flow) -> engine.Find:
    by_id = {flow.id: flow for flow in flows}
    return lambda name, _version: by_id.get(name)


def present(find: engine.Find, state: FlowState) -> Flow:
    flow = find(state.flow, state.version)
    assert flow is not None
    return flow


def is_order(waits: Action | None) -> bool:
    return isinstance(waits, Request) and waits.method != "GET"


# What nobody asked for: the key for a person, another one, and words.
UNASKED = [
    Collected("0", CollectEnd.COMPLETE),
    Collected("5", CollectEnd.COMPLETE),
    Collected("", CollectEnd.COMPLETE, "operadora"),
    Collected("", CollectEnd.COMPLETE, "nadie"),
]


def an_answer(waits: Action | None, data: st.DataObject) -> Input:
    if isinstance(waits, Answer):
        return Answered()
    if isinstance(waits, Play):
        return Played(data.draw(st.booleans()), data.draw(st.sampled_from(["", "x\x00"])))
    if isinstance(waits, Collect):
        digits = data.draw(st.text("0123456789*#", max_size=waits.max_digits))
        return Collected(digits, data.draw(st.sampled_from(CollectEnd)))
    if isinstance(waits, Request):
        failure = data.draw(st.one_of(st.none(), st.sampled_from(Failure)))
        return Response(data.draw(st.sampled_from([200, 404, 500])), data.draw(ANSWERS), failure)
    if isinstance(waits, Record):
        return Recorded(data.draw(st.sampled_from(["", "r"])), data.draw(st.floats(0, 100)))
    if isinstance(waits, Transfer):
        return TransferEnded(data.draw(st.sampled_from(TransferExit)))
    if isinstance(waits, Converse):
        return Conversed(data.draw(st.sampled_from(BotExit)), data.draw(st.sampled_from([{}, {"a": "x"}, {"a": 3}])))
    return QueueLeft(data.draw(st.sampled_from(QueueExit)), data.draw(st.sampled_from(["", "1"])))


ANSWERS = st.sampled_from([None, {"a": 1}, {"a": "x", "xs": [{"a": "12:30"}]}, {"xs": []}, {"xs": [{}, 3]}, [], "x"])


@settings(max_examples=300, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow], deadline=None)
@given(PAIRS, FACTS, st.data())
def test_every_call_ends_and_every_state_survives(
    pair: tuple[object, object], facts: dict[str, object], data: st.DataObject
) -> None:
    flow, other = map(flow_from, pair)
    find = finder(flow, other)
    at = data.draw(st.sampled_from([0.0, 1_772_463_600.0]))
    state, actions = engine.step(flow, engine.begin(flow), Begin(facts), at=at, find=find)
    leaves_at = data.draw(st.one_of(st.none(), st.integers(0, 20)))
    inputs, seen = 1, list(actions)
    while not state.is_over:
        check_actions(state, actions)
        state = through_json(state)
        resumed = engine.step(present(find, state), state, Resume(), find=find).state
        assert resumed == state or is_order(state.waiting)
        if isinstance(state.waiting, Play | Record | Transfer | Request | Enqueue) and data.draw(st.booleans()):
            key = data.draw(st.sampled_from(UNASKED))
            before, (state, actions) = state, engine.step(present(find, state), state, key, at=at, find=find)
            check_wish(find, before, key, engine.Step(state, actions))
            seen += actions
            check_actions(state, actions)
            if state.is_over:
                break
        heard = CallerLeft() if inputs == leaves_at else an_answer(state.waiting, data)
        at += data.draw(st.sampled_from([0, 0, 3, 200]))
        before, (state, actions) = state, engine.step(present(find, state), state, heard, at=at, find=find)
        check_wish(find, before, heard, engine.Step(state, actions))
        seen += actions
        inputs += 1
        assert inputs <= MOST_INPUTS
    through_json(state)
    most = max(each.head.limits.steps for each in (flow, other))
    assert state.steps <= most + engine.STEPS_AFTER_FAULT
    notes = [action for action in seen if isinstance(action, Note)]
    entered = [note.data["node"] for note in notes if note.kind == "node"]
    assert entered == [place.rpartition(".")[2] for place in state.path]
    assert len([note for note in notes if note.kind == "flow.ended"]) == 1
    assert state.phase is Phase.LEFT or isinstance(seen[-1], Hangup)


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, DOCUMENTS, st.data())
def test_a_call_may_be_taken_up_by_any_other_flow(old: object, new: object, data: st.DataObject) -> None:
    flow, other = flow_from(old), flow_from(new)
    state, _ = engine.step(flow, engine.begin(flow), Begin({"from": "0999"}))
    for _ in range(data.draw(st.integers(0, 6))):
        if not state.is_over:
            state, _ = engine.step(flow, state, an_answer(state.waiting, data), find=finder(flow))
    state = engine.moved(other, state)
    for _ in range(MOST_INPUTS + 60):
        if state.is_over:
            break
        state, _ = engine.step(other, through_json(state), an_answer(state.waiting, data), find=finder(other))
    assert state.is_over
