"""Every node kind in a small flow of its own: the tests that must hold for each kind take them from here, and a kind
that is not here fails them all."""

from __future__ import annotations

from dataclasses import dataclass

from ivr_flows.nodes import KINDS


@dataclass(frozen=True)
class Example:
    """`nodes` begin at ``uno``, the kind's own. FIRST stands for the prompt by which it is heard, where it speaks;
    `keys` lead from there to ``bien``, which says SECOND. `waits` False: it decides at once, and nobody can press a key
    or hang up in it."""

    nodes: str
    keys: str = ""
    waits: bool = True


_ASK = "request: {system: clientes, url: "
EXAMPLES: dict[str, Example] = {
    "answer": Example("  uno: {kind: answer, next: bien}"),
    "play": Example("  uno: {kind: play, prompts: [FIRST], next: bien}", "5"),
    "menu": Example("  uno: {kind: menu, prompts: FIRST, options: {'1': bien, '2': fin}}", "1"),
    "collect": Example("  uno: {kind: collect, as: cedula, into: t, prompts: FIRST, next: bien}", "1710034065"),
    "identify": Example(
        "  uno: {kind: identify, by: contract, prompts: FIRST, take: {t: nombre}, next: bien, unknown: fin,"
        f" fallback: fin, {_ASK}'/v1/clientes?por={{{{ item.by }}}}&valor={{{{ item.value }}}}'}}}}",
        "204510#",
    ),
    "http": Example(
        f"  uno: {{kind: http, {_ASK}/v1/cuentas/204510}}, take: {{n: saldo}}, next: dos, fallback: fin}}\n"
        "  dos: {kind: condition, if: n > 20, then: bien, else: fin}"
    ),
    "announce": Example(
        f"  uno: {{kind: announce, {_ASK}'/v1/cortes?sector=Monay'}}, list: cortes, each: FIRST, next: bien,"
        " fallback: fin}",
        "5",
    ),
    "condition": Example("  uno: {kind: condition, if: n < 1, then: bien, else: fin}", waits=False),
    "switch": Example("  uno: {kind: switch, value: n, cases: {'0': bien}, else: fin}", waits=False),
    "schedule": Example("  uno: {kind: schedule, calendar: siempre, open: bien, closed: fin}", waits=False),
    "language": Example("  uno: {kind: language, language: es, next: bien}", waits=False),
    "tag": Example("  uno: {kind: tag, tags: prueba, next: bien}", waits=False),
    "set": Example("  uno: {kind: set, values: {t: a}, next: bien}", waits=False),
    "goto": Example("  uno: {kind: goto, to: bien}", waits=False),
    "subflow": Example("  uno: {kind: subflow, flow: parte, take: {t: x}, next: bien}", "7"),
    "return": Example("  uno: {kind: subflow, flow: parte, next: bien}", "7", waits=False),
    "survey": Example("  uno: {kind: survey, name: s, questions: [{id: calidad, prompts: FIRST}], next: bien}", "4"),
    "record": Example("  uno: {kind: record, prompts: FIRST, next: bien}", "2"),
    "callback": Example(
        "  uno: {kind: callback, queue: contact-center, prompts: FIRST, next: bien, declined: fin}", "1"
    ),
    "voicemail": Example("  uno: {kind: voicemail, mailbox: m, prompts: FIRST, max_s: 30, next: bien}", "#"),
    "transfer": Example("  uno: {kind: transfer, to: {phone: agente1}, then: {failed: fin, talked: bien}}"),
    "queue": Example(
        "  uno: {kind: queue, name: contact-center, exits: {'5': bien}, then: {talked: fin, timeout: fin}}", "5"
    ),
    "bot": Example("  uno: {kind: bot, name: averias, next: bien, unavailable: fin, timeout_s: 60}"),
    "hangup": Example("  uno: {kind: hangup}", waits=False),
}
WAITING = [kind for kind, example in EXAMPLES.items() if example.waits]
# The part that `subflow` and `return` enter.
PART = """\
id: parte
entry: a
on_error: c
variables: {x: text}
nodes:
  a: {kind: menu, prompts: FIRST, options: {'7': b}}
  b: {kind: set, values: {x: hola}, next: c}
  c: {kind: return}
"""


def example(kind: str) -> Example:
    assert kind in EXAMPLES, f"node kind {kind!r} has no example in tests/support/flow_kinds.py"
    return EXAMPLES[kind]


def kinds() -> list[str]:
    return sorted(KINDS)
