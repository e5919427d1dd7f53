"""The router beside what the two common queue engines do, in one run, interleaved, from one seed.

    rimay bench routing [--json] [--quick] [--oracle N] [--oracle-only] [--seed N]

Rivals, reimplemented from their published behaviour:
* callcenter: a thread that every 100 ms selects all waiting members and, for each, runs a query over agents x tiers in
  SQLite (C code; no index but the primary keys). A pass longer than 100 ms delays the next one.
* app_queue: each waiting caller, once a second, counts the available members of their queue under its lock and, when it
  is their turn, weighs all of them. Python here, as our core is.

CPU per decision: agents become free at `agents / 180 s`, as in a busy centre; what a scheme burns in a second, divided
by the decisions of a second. For callcenter a pass at large sizes is measured on a sample of members and multiplied.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import sqlite3
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import fmean

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from callcontrol.model import AgentId, AgentState, InteractionId, Medium, OfferEnd
from callcontrol.routing import terms as t
from callcontrol.routing.router import Router
from callcontrol.routing.rules import QueueRules
from tests.support.routing_scenarios import disagreement

HANDLE_S = 180.0
SIZES = ((100, 30), (1000, 300), (1000, 1000), (10_000, 5000))
START = 1_795_000_000.0
SAMPLE = 40  # members of a callcenter pass that are measured when there are more


@dataclass(frozen=True)
class Centre:
    """Who is where: the same for all three schemes. An agent works in five queues and has ten of the skills."""

    seed: int
    waiting: int
    agents: int

    @property
    def queues(self) -> list[str]:
        return [f"q{n}" for n in range(min(50, max(2, self.agents // 20)))]

    def places(self) -> dict[str, list[str]]:
        r = Random(self.seed)
        return {f"a{n}": r.sample(self.queues, min(5, len(self.queues))) for n in range(self.agents)}


class Ours:
    """A full line and everybody at work; then one agent after the other becomes free while others arrive."""

    def __init__(self, centre: Centre, *, why: bool) -> None:
        r = self.r = Random(centre.seed)
        self.centre = centre
        self.at = START
        self.n = self.waiting = 0
        self.cpu = 0.0
        self.took = (0.0, 0.0)
        self.router = Router([QueueRules(name=q, wrap_up_s=0, stranded_s=1e9) for q in centre.queues], why=why)
        self.talks: list[tuple[InteractionId, AgentId]] = []
        self.people: list[tuple[dict[str, int], list[str]]] = []
        for name, queues in centre.places().items():
            agent = AgentId(name)
            skills = {f"s{n}": r.randint(1, 5) for n in r.sample(range(100), 10)}
            self.router.step(t.AgentSignedIn(at=self.at, agent=agent, queues=frozenset(queues), skills=skills))
            self.people.append((skills, queues))
            item = InteractionId(f"first-{name}")
            self.router.step(t.WorkRestored(at=self.at, item=item, agent=agent, queue=queues[0]))
            self.router.step(t.AgentAsked(at=self.at, agent=agent, state=AgentState.READY))
            self.talks.append((item, agent))
        while self.waiting < centre.waiting:
            self.arrive()

    def arrive(self) -> None:
        r = self.r
        self.n += 1
        self.at += 0.001
        # Asked for is what somebody has: else the line would fill up with those who nobody can serve.
        levels, queues = r.choice(self.people)
        skill = r.choice(sorted(levels))
        skills = {skill: r.randint(1, levels[skill])} if r.random() < 0.3 else {}
        item = t.WorkItem(
            id=InteractionId(f"i{self.n}"),
            medium=Medium.VOICE,
            queue=r.choice(queues),
            queued_at=self.at,
            priority=r.choice((0, 0, 0, 5)),
            skills=skills,
        )
        self.waiting += 1
        self.take(self.timed(t.ItemQueued(at=self.at, item=item)))

    def take(self, decisions: list[t.Decision]) -> None:
        """Whoever was offered something accepts it."""
        offers = [d for d in decisions if isinstance(d, t.MakeOffer)]
        for offer in offers:
            self.timed(t.OfferAnswered(at=self.at, offer=offer.offer, how=OfferEnd.ACCEPTED))
            self.talks.append((offer.item, offer.agent))
            self.waiting -= 1

    def timed(self, event: t.RouterEvent) -> list[t.Decision]:
        """Wall and CPU seconds of the step are kept in `took` and added to `cpu`."""
        began, burnt = time.perf_counter(), time.thread_time()
        decisions = self.router.step(event)
        self.took = (time.perf_counter() - began, time.thread_time() - burnt)
        self.cpu += self.took[1]
        return decisions

    def decide(self) -> tuple[float, float, float]:
        """One agent becomes free, gets an offer, takes it; another caller arrives. Wall and CPU seconds of the step
        that decides, and CPU seconds of all of them."""
        self.cpu = 0.0
        self.at += 0.01
        index = self.r.randrange(len(self.talks))
        item, agent = self.talks[index]
        self.talks[index] = self.talks[-1]
        self.talks.pop()
        decisions = self.timed(t.WorkEnded(at=self.at, item=item, agent=agent))
        wall, burnt = self.took
        self.take(decisions)
        while self.waiting < self.centre.waiting:
            self.arrive()
        return wall, burnt, self.cpu


class Callcenter:
    def __init__(self, centre: Centre) -> None:
        r = Random(centre.seed)
        self.centre = centre
        self.db = sqlite3.connect(":memory:")
        self.db.executescript(
            """create table agents (name text primary key, status text, state text, last_offered_call integer,
                 last_bridge_end integer, ready_time integer, wrap_up_time integer, no_answer_count integer);
               create table tiers (queue text, agent text, state text, level integer, position integer);
               create table members (uuid text primary key, queue text, state text, joined_epoch integer,
                 base_score integer, skill_score integer, serving_agent text);"""
        )
        for name, queues in centre.places().items():
            row = (name, "Available", "In a queue call", r.randint(0, 999), r.randint(0, 999), 0, 10, 0)
            self.db.execute("insert into agents values (?,?,?,?,?,?,?,?)", row)
            self.db.executemany("insert into tiers values (?,?,'Ready',1,1)", [(q, name) for q in queues])
        for n in range(centre.waiting):
            row = (f"m{n}", r.choice(centre.queues), "Waiting", n, 0, 0, "")
            self.db.execute("insert into members values (?,?,?,?,?,?,?)", row)

    def pass_s(self) -> float:
        """One pass over all members, nobody free: CPU seconds."""
        began = time.process_time()
        members = self.db.execute(
            "select queue, uuid, joined_epoch, (1000 - joined_epoch) + base_score + skill_score as score, state,"
            " serving_agent from members where state = 'Waiting' order by score desc"
        ).fetchall()
        selecting = time.process_time() - began
        sample = members if len(members) <= 2 * SAMPLE else members[:: len(members) // SAMPLE]
        began = time.process_time()
        for queue, *_ in sample:
            rows = self.db.execute(
                "select name, status, agents.state, last_bridge_end, wrap_up_time, ready_time, tiers.position,"
                " tiers.level, last_offered_call from agents left join tiers on agents.name = tiers.agent"
                " where tiers.queue = ? and status in ('Available', 'On Break', 'Available (On Demand)')"
                " order by level, last_offered_call, position",
                (queue,),
            )
            for row in rows:  # in its callback each one is looked at and passed over
                if row[2] == "Waiting":
                    break
        return selecting + (time.process_time() - began) * len(members) / len(sample)

    def cpu_per_decision(self) -> float:
        took = self.pass_s()
        return took / (self.centre.agents / HANDLE_S * (took + 0.1))


class AppQueue:
    def __init__(self, centre: Centre) -> None:
        r = Random(centre.seed)
        self.centre = centre
        self.members: dict[str, list[dict[str, int]]] = {q: [] for q in centre.queues}
        for queues in centre.places().values():
            member = {"status": 2, "paused": 0, "lastcall": r.randint(0, 999), "penalty": 0, "wrapuptime": 10}
            for queue in queues:
                self.members[queue].append(member)
        self.line: dict[str, list[int]] = {q: [] for q in centre.queues}
        for n in range(centre.waiting):
            self.line[r.choice(centre.queues)].append(n)

    def second_s(self) -> float:
        """What the waiting callers do in a second: CPU seconds."""
        began = time.process_time()
        for queue, callers in self.line.items():
            for position, _caller in enumerate(callers):
                free = sum(m["status"] == 1 and not m["paused"] for m in self.members[queue])
                if position < max(free, 1):
                    min((m["penalty"] * 1_000_000 + m["lastcall"] for m in self.members[queue]), default=0)
        return time.process_time() - began

    def cpu_per_decision(self) -> float:
        return self.second_s() / (self.centre.agents / HANDLE_S)


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, math.ceil(q * len(values)) - 1)]


def measure(seed: int, size: tuple[int, int], rounds: int, *, why: bool) -> dict[str, float]:
    """All three in turn, three times over: what disturbs one disturbs all."""
    centre = Centre(seed, *size)
    ours, callcenter, app_queue = Ours(centre, why=why), Callcenter(centre), AppQueue(centre)
    deciding: list[float] = []
    burnt: list[float] = []
    whole: list[float] = []
    theirs: list[float] = []
    its: list[float] = []
    for _ in range(3):
        gc.collect()
        for _ in range(rounds // 3):
            wall, cpu, all_of = ours.decide()
            deciding.append(wall)
            burnt.append(cpu)
            whole.append(all_of)
        theirs.append(callcenter.cpu_per_decision())
        its.append(app_queue.cpu_per_decision())
    return {
        "waiting": size[0],
        "agents": size[1],
        "queues": len(centre.queues),
        "p50_ms": quantile(deciding, 0.5) * 1e3,
        "p99_ms": quantile(deciding, 0.99) * 1e3,
        "p99_cpu_ms": quantile(burnt, 0.99) * 1e3,
        "cpu_per_decision_ms": fmean(whole) * 1e3,
        "callcenter_pass_s": callcenter.pass_s(),
        "callcenter_cpu_per_decision_ms": fmean(theirs) * 1e3,
        "app_queue_cpu_per_decision_ms": fmean(its) * 1e3,
        "cpu_ratio": fmean(theirs) / fmean(whole),
        "cpu_ratio_app_queue": fmean(its) / fmean(whole),
    }


def growth(seed: int, rounds: int) -> tuple[float, dict[int, float]]:
    """The exponent of the cost per decision over the length of the line, with the agents the same: the slope of a
    straight line through the logarithms. 1 would be a scan; a logarithm shows as about 0.1."""
    costs: dict[int, float] = {}
    lines = [100, 300, 1000, 3000, 10_000, 30_000]
    benches = {w: Ours(Centre(seed, w, 1000), why=False) for w in lines}
    samples: dict[int, list[float]] = {w: [] for w in lines}
    for _ in range(rounds):
        for w in lines:
            samples[w].append(benches[w].decide()[2])
    for w in lines:
        costs[w] = quantile(samples[w], 0.5)
    xs, ys = [math.log(w) for w in lines], [math.log(costs[w]) for w in lines]
    mx, my = fmean(xs), fmean(ys)
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sum((x - mx) ** 2 for x in xs)
    return slope, {w: round(c * 1e6, 1) for w, c in costs.items()}


def week(seed: int) -> dict[str, float]:
    """A week of the customer's calls (31,000 a month, 30 agents): memory after each day, which must not grow."""
    r = Random(seed)
    router = Router([QueueRules(name=f"q{n}", wrap_up_s=10) for n in range(12)], why=True)
    names = [AgentId(f"a{n}") for n in range(30)]
    now, n = START, 0
    for name in names:
        queues = frozenset(f"q{k}" for k in r.sample(range(12), 4))
        router.step(t.AgentSignedIn(at=now, agent=name, queues=queues, skills={f"s{k}": 3 for k in range(5)}))
        router.step(t.AgentAsked(at=now, agent=name, state=AgentState.READY))
    ends: list[tuple[float, InteractionId, AgentId]] = []
    kept: list[int] = []
    tracemalloc.start()
    for day in range(7):
        while now < START + 86400 * (day + 1):
            now += r.expovariate(31000 / 30 / 86400 * 3)  # three times the mean: a line does form
            while ends and min(ends)[0] <= now:
                end = min(ends)
                ends.remove(end)
                _take(router.step(t.WorkEnded(at=end[0], item=end[1], agent=end[2])), router, end[0], r, ends)
            n += 1
            item = t.WorkItem(
                id=InteractionId(f"i{n}"),
                medium=Medium.VOICE,
                queue=f"q{r.randrange(12)}",
                queued_at=now,
                skills={f"s{r.randrange(5)}": 1},
                give_up_at=now + 600,
            )
            _take(router.step(t.ItemQueued(at=now, item=item)), router, now, r, ends)
            for name in names[:2]:
                router.step(t.AgentAsked(at=now, agent=name, state=AgentState.READY))
        gc.collect()
        kept.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return {"items": n, "kb_after_day_2": round(kept[1] / 1024), "kb_after_day_7": round(kept[6] / 1024)}


def _take(
    decisions: list[t.Decision], router: Router, at: float, r: Random, ends: list[tuple[float, InteractionId, AgentId]]
) -> None:
    for d in decisions:
        if isinstance(d, t.MakeOffer):
            _take(router.step(t.OfferAnswered(at=at, offer=d.offer, how=OfferEnd.ACCEPTED)), router, at, r, ends)
        elif isinstance(d, t.Assign):
            ends.append((at + r.expovariate(1 / 200), d.item, d.agent))


def _disagreements(part: tuple[int, int]) -> list[str]:
    return [found for seed in range(*part) if (found := disagreement(seed))]


def oracle(count: int, first: int, workers: int, tell: Callable[[str], None]) -> list[str]:
    """Told of as it goes on: a million scenarios take hours, and who stops it early knows how many agreed."""
    parts = [(first + at, first + min(at + 5000, count)) for at in range(0, count, 5000)]
    found: list[str] = []
    with ProcessPoolExecutor(workers) as pool:
        for (_, until), some in zip(parts, pool.map(_disagreements, parts), strict=True):
            found += some
            tell(f"oracle: {until - first} of {count} from seed {first}, {len(found)} disagreements")
    return found


def main() -> None:
    options = argparse.ArgumentParser(prog="bench routing")
    options.add_argument("--json", action="store_true")
    options.add_argument("--quick", action="store_true", help="small sizes and few rounds: does it run at all")
    options.add_argument("--seed", type=int, default=18)
    options.add_argument("--oracle", type=int, default=1_000_000, metavar="N", help="scenarios against the oracle")
    options.add_argument("--oracle-only", action="store_true", help="nothing else is measured")
    options.add_argument("--workers", type=int, default=2)
    args = options.parse_args()
    tell: Callable[[str], None] = (lambda text: print(text, file=sys.stderr)) if args.json else print
    rounds = 300 if args.quick else 6000
    if args.oracle_only:
        found = oracle(args.oracle, 1_000_000, args.workers, tell)
        print(json.dumps({"oracle_scenarios": args.oracle, "oracle_disagreements": len(found), "found": found[:3]}))
        return
    rows = []
    for size in SIZES[:2] if args.quick else SIZES:
        row = measure(args.seed, size, rounds, why=False)
        explained = measure(args.seed, size, rounds // 2, why=True) if size == (1000, 1000) else row
        row["p99_explained_ms"], row["cpu_ratio_explained"] = explained["p99_ms"], explained["cpu_ratio"]
        rows.append(row)
        tell("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
    main_row = rows[min(2, len(rows) - 1)]
    exponent, costs = growth(args.seed, 50 if args.quick else 1500)
    tell(f"median microseconds by length of the line {costs}, exponent {exponent:.3f}")
    memory = week(args.seed)
    tell(f"a simulated week {memory}")
    count = min(args.oracle, 2000) if args.quick else args.oracle
    found = oracle(count, 1_000_000, args.workers, tell)
    for text in found[:3]:
        tell(text)
    if args.json:
        facts = {
            "p99_ms": main_row["p99_ms"],
            "p99_cpu_ms": main_row["p99_cpu_ms"],
            "p99_explained_ms": main_row["p99_explained_ms"],
            "cpu_ratio": main_row["cpu_ratio"],
            "cpu_ratio_explained": main_row["cpu_ratio_explained"],  # as the platform runs: each offer has its reasons
            "oracle_scenarios": count,
            "oracle_disagreements": len(found),
            "growth_exponent": exponent,
            "seed": args.seed,
            "sizes": rows,
            "cost_by_length_us": costs,
            "week": memory,
        }
        print(json.dumps(facts))


if __name__ == "__main__":
    main()
