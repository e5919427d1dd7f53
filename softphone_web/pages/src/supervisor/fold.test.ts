import { describe, expect, it } from "vitest";
import { aged, fold, withHappened } from "./fold";
import { agentOrder, filtersOf, itemOrder, NO_FILTERS, queryOf, showsAgent, showsItem } from "./filters";
import { floorPercent, serviceLevelColumns } from "./history";
import { language } from "../kit/i18n";
import type { Board, BoardAgent, BoardItem, QueueFigures } from "./model";
import { alertSentence } from "./texts";
import { isStale, nextPage, wallOf } from "../wall/figures";

const item = (id: string, more: Partial<BoardItem> = {}): BoardItem => ({
  id, medium: "voice", direction: "inbound", queue: "agua", queue_title: "Agua potable", phase: "queued", priority: 5,
  agent: null, agent_name: null, from_address: "0991234567", waiting_since: "2026-11-25T10:00:00Z", waited_s: 4, in_phase_since: "2026-11-25T10:00:00Z",
  sla: { target_s: 20, risk: "ok" }, supervised_by: null, reason: null, ...more,
});
const agent = (id: string, more: Partial<BoardAgent> = {}): BoardAgent => ({
  id, name: id, state: "ready", since: "2026-11-25T10:00:00Z", reason: null, interaction: null, queues: ["agua"],
  endpoint: `sip-${id}`, endpoint_online: true, ...more,
});
const queue = (name: string, more: Partial<QueueFigures> = {}): QueueFigures => ({
  name, title: name, waiting: 0, longest_wait_s: null, expected_s: null, agents: {},
  service_level: { today: 0.8, target: 0.8, threshold_s: 20, variant: "standard" }, offered_today: 10,
  answered_today: 9, abandoned_today: 1, asa_s: 10, aht_s: 130, measured_at: "2026-11-25T10:00:00Z", ...more,
});
const board = (more: Partial<Board> = {}): Board => ({
  interactions: [item("a"), item("b")], agents: [agent("ana"), agent("luis")], queues: [queue("agua")], alerts: [],
  measured_at: "2026-11-25T10:00:00Z", ...more,
});
const frame = (topic: string, type: string, id: string, data: Record<string, unknown>) => ({
  topic, type, id, at: "2026-11-25T10:01:00Z", data,
});

describe("the live board", () => {
  it("keeps a row in its place when it changes, and puts a new one at the end", () => {
    const changed = fold(board(), frame("interactions", "connected", "a", { board: item("a", { phase: "talking" }) }));
    expect(changed.interactions.map((one) => [one.id, one.phase])).toEqual([["a", "talking"], ["b", "queued"]]);
    const more = fold(changed, frame("interactions", "started", "c", { board: item("c") }));
    expect(more.interactions.map((one) => one.id)).toEqual(["a", "b", "c"]);
  });
  it("takes away what is closed, and only that", () => {
    const start = board();
    expect(fold(start, frame("interactions", "closed", "a", {})).interactions.map((one) => one.id)).toEqual(["b"]);
    expect(fold(start, frame("interactions", "closed", "zz", {}))).toBe(start);
    expect(fold(start, frame("interactions", "held", "a", {}))).toBe(start);
  });
  it("follows an agent's state and phone, and leaves strangers alone", () => {
    const start = board();
    const busy = fold(start, frame("agents", "agent_state", "ana", { state: "interacting", reason: null, interaction: "a" }));
    expect(busy.agents[0]).toMatchObject({ state: "interacting", interaction: "a", since: "2026-11-25T10:01:00Z" });
    expect(busy.agents[1]).toBe(start.agents[1]);
    const dead = fold(busy, frame("agents", "endpoint_state", "sip-ana", { online: false }));
    expect(dead.agents[0]).toMatchObject({ endpoint_online: false, state: "interacting" });
    expect(fold(start, frame("agents", "agent_state", "eva", { state: "ready" }))).toBe(start);
  });
  it("takes new figures of one queue and says when they were measured", () => {
    const next = fold(board(), frame("queues", "figures", "agua", { ...queue("agua", { waiting: 7, measured_at: "x" }) }));
    expect(next.queues[0]?.waiting).toBe(7);
    expect(next.measured_at).toBe("x");
  });
  it("shows an alert once, and takes it away when it is over", () => {
    const once = fold(board(), frame("alerts", "sla_risk", "agua", { id: "sla:agua", state: "raised", message: "Se espera mucho" }));
    const again = fold(once, frame("alerts", "sla_risk", "agua", { id: "sla:agua", state: "raised", message: "Todavía" }));
    expect(again.alerts.map((one) => one.message)).toEqual(["Todavía"]);
    const trunk = fold(again, frame("alerts", "trunk_down", "etapa", { message: "La troncal no responde" }));
    expect(trunk.alerts[0]).toMatchObject({ kind: "trunk_down", about: "etapa", since: "2026-11-25T10:01:00Z" });
    expect(fold(trunk, frame("alerts", "sla_risk", "agua", { id: "sla:agua", state: "raised", message: "Menos" })).alerts.map((one) => one.kind)).toEqual(["trunk_down", "sla_risk"]);
    const over = fold(trunk, frame("alerts", "sla_risk", "agua", { id: "sla:agua", state: "cleared", message: "" }));
    expect(over.alerts.map((one) => one.kind)).toEqual(["trunk_down"]);
  });
  it("brings who waits nearer to the target with time alone", () => {
    const start = board({ interactions: [item("a"), item("b", { phase: "talking", waiting_since: null }), item("c", { sla: { target_s: null, risk: "ok" } })] });
    const at = (seconds: number) => Date.parse("2026-11-25T10:00:00Z") + seconds * 1000;
    const risks = (seconds: number) => aged(start, at(seconds)).interactions.map((one) => one.sla.risk);
    expect(aged(start, at(15))).toBe(start);
    expect(risks(16)).toEqual(["soon", "ok", "ok"]);
    expect(risks(20.1)).toEqual(["late", "ok", "ok"]);
  });
  it("keeps of a newer snapshot what lasts, newest first, and what was told once", () => {
    const lasting = (id: string) => ({ id, kind: "waiting_too_long", since: "2026-11-25T10:00:00Z", message: "" });
    const before = fold(board({ alerts: [lasting("gone")] }), frame("alerts", "trunk_down", "etapa", {}));
    const next = withHappened(board({ alerts: [lasting("old"), lasting("new")] }), before);
    expect(next.alerts.map((one) => one.id)).toEqual(["trunk_down etapa", "new", "old"]);
  });
});

describe("filters and order", () => {
  it("finds without accents, and by every word", () => {
    const one = item("a", { agent_name: "María Ramírez", reason: "Sin agua" });
    expect(showsItem(one, { ...NO_FILTERS, text: "ramirez agua" })).toBe(true);
    expect(showsItem(one, { ...NO_FILTERS, text: "ramirez luz" })).toBe(false);
  });
  it("stands in the address, but for what was typed, and takes no word of an address that it does not know", () => {
    const chosen = { ...NO_FILTERS, queue: "contact-center", medium: "voice", phase: "queued", risk: "late", priority: 20, agent: "ana", state: "ready", text: "099" } as const;
    expect(filtersOf(queryOf(chosen), "099")).toEqual(chosen);
    expect(queryOf(chosen)).not.toContain("099");
    expect(queryOf({ ...NO_FILTERS, text: "099" })).toBe("");
    expect(filtersOf("?riesgo=mucho&etapa=constructor&prioridad=alta&otra=1")).toEqual(NO_FILTERS);
  });
  it("joins its conditions", () => {
    const late = item("a", { sla: { target_s: 20, risk: "late" }, priority: 30 });
    expect(showsItem(late, { ...NO_FILTERS, risk: "late", priority: 30, queue: "agua" })).toBe(true);
    expect(showsItem(late, { ...NO_FILTERS, risk: "late", priority: 31 })).toBe(false);
    expect(showsAgent(agent("ana"), { ...NO_FILTERS, state: "not_ready" })).toBe(false);
  });
  it("puts what needs somebody first", () => {
    const rows = [
      item("talk", { phase: "talking" }),
      item("ok"),
      item("late", { sla: { target_s: 20, risk: "late" } }),
      item("older", { in_phase_since: "2026-11-25T09:59:00Z" }),
    ];
    expect(rows.sort(itemOrder).map((one) => one.id)).toEqual(["late", "older", "ok", "talk"]);
    const people = [agent("Zoila", { state: "not_ready" }), agent("Ángel"), agent("Ana"), agent("Eva", { state: "reserved" })];
    expect(people.sort(agentOrder).map((one) => one.id)).toEqual(["Eva", "Ana", "Ángel", "Zoila"]);
  });
});

describe("the wallboard", () => {
  it("adds queues up, weighed by what came in", () => {
    const queues = [
      queue("agua", { waiting: 2, longest_wait_s: 40, offered_today: 30, answered_today: 30, asa_s: 10 }),
      queue("luz", {
        waiting: 1, longest_wait_s: 5, offered_today: 10, answered_today: 10, abandoned_today: 3, asa_s: 50,
        service_level: { today: 0.4, target: 0.8, threshold_s: 20, variant: "standard" },
      }),
      queue("nada", {
        offered_today: 0, answered_today: 0, abandoned_today: 0, asa_s: null,
        service_level: { today: null, target: 0.8, threshold_s: 20, variant: "standard" },
      }),
    ];
    const people = [agent("ana"), agent("luis", { state: "interacting", queues: ["luz"] })];
    const all = wallOf(queues, people, -1);
    expect(all).toMatchObject({ waiting: 3, longestWaitS: 40, asaS: 20, free: 1, onContact: 1, target: 0.8 });
    expect(all.serviceLevel).toBeCloseTo(0.7);
    expect(all.abandonedRate).toBeCloseTo(0.1);
    expect(wallOf(queues, people, 1)).toMatchObject({ waiting: 1, free: 0, onContact: 1, serviceLevel: 0.4 });
    expect(wallOf(queues, people, 2)).toMatchObject({ serviceLevel: null, abandonedRate: null, asaS: null });
    expect([nextPage(queues, -1), nextPage(queues, 0), nextPage(queues, 1)]).toEqual([0, 1, -1]);
  });
  it("distrusts its figures only when nothing was heard for long", () => {
    expect(isStale(0, 16, false)).toBe(true);
    expect(isStale(0, 16, true)).toBe(false);
    expect(isStale(0, 14, false)).toBe(false);
  });
});

describe("figures", () => {
  it("reads as people do", () => {
    expect([floorPercent(0.799), floorPercent(0.8), floorPercent(1), floorPercent(null)]).toEqual(["79 %", "80 %", "100 %", "—"]);
  });
  it("leaves a gap where nobody called", () => {
    const point = { at: "2026-11-25T10:00:00Z", offered: 0, answered: 0, abandoned: 0, service_level: null, asa_s: null, waiting_max: 0 };
    const columns = serviceLevelColumns([point, { ...point, service_level: 0.9 }], 0.8);
    expect(columns.serviceLevel).toEqual([null, 0.9]);
    expect(columns.target).toEqual([0.8, 0.8]);
    expect(columns.at[0]).toBe(1795600800);
  });
});

describe("an alert's sentence", () => {
  const names = { who: "Ana", queue: "Agua" };
  const level = { kind: "service_level_at_risk", message: "del servidor", figures: { level: 0.755, target: 0.8 } };
  const alone = { kind: "queue_without_agents", message: "del servidor", figures: { waiting: 1 } };
  it("is in the language of the page, with its figures", () => {
    expect(alertSentence(level, names)).toBe("Nivel de servicio de Agua: 75,5 % en la última media hora (meta 80 %)");
    expect(alertSentence(alone, names)).toBe("Nadie atiende Agua y una persona espera");
    expect(alertSentence({ ...alone, kind: "no_qualified_agent" }, names)).toBe("Nadie conectado tiene lo que se pide en Agua");
    language.value = "en";
    expect(alertSentence(level, names)).toBe("Service level of Agua: 75.5 % in the last half hour (target 80 %)");
    expect(alertSentence({ ...alone, figures: { waiting: 3 } }, names)).toBe("Nobody serves Agua and 3 people wait");
    language.value = "es";
  });
  it("is the server's of a kind that this page does not know", () => {
    expect(alertSentence({ ...level, kind: "newer" }, names)).toBe("del servidor");
  });
});
