import { describe, expect, it } from "vitest";
import type { Desk, DeskItem, Leg, WrapUp } from "../kit/types";
import { blocksOf } from "../kit/markdown";
import { hasAnswered, newer, shownOf, workOf } from "./desk";
import { dialable } from "./directory";
import { unread } from "./messages";
import { spoken } from "../kit/format";
import { callerOf, isConference, numberOf } from "./names";
import { linesOf } from "./timeline";

const item = (interaction: string, change: Partial<DeskItem> = {}): DeskItem => ({
  interaction, medium: "voice", direction: "inbound", phase: "talking", from_address: "0987654321", from_name: null, to_address: "072831900", queue: "agua",
  queue_title: "Agua", reason: null, connected_at: "2026-11-25T15:00:00Z", held: false, recording: "on", legs: [], consult: null, supervised: null, mine: true, ...change,
});
const wrap = (interaction: string): WrapUp => ({ interaction, queue: "agua", until: null, disposition: null, disposition_required: false, dispositions: [], reasons: [] });
const desk = (change: Partial<Desk>): Desk => ({
  agent: { id: "ana", name: "Ana", state: "interacting", since: "", reason: null, wanted: null, wanted_reason: null, queues: [] },
  phone: { kind: "web", leg: "up", endpoint: null, online: true }, offers: [], items: [], wrap_ups: [], measured_at: "2026-11-25T15:00:00Z", ...change,
});

describe("the desk", () => {
  it("puts who talks before who waits on hold, and closing last", () => {
    const work = workOf(desk({ items: [item("held", { held: true }), item("talk")], wrap_ups: [wrap("old"), wrap("talk")] }));
    expect(work.map((one) => [one.kind, one.id])).toEqual([["item", "talk"], ["item", "held"], ["wrap_up", "old"]]);
  });
  it("shows what was chosen while it is there, else the most urgent", () => {
    const work = workOf(desk({ items: [item("a"), item("b", { held: true })] }));
    expect(shownOf(work, "b")?.id).toBe("b");
    expect(shownOf(work, "gone")?.id).toBe("a");
    expect(shownOf([], "a")).toBeNull();
  });
  it("does not go back to an older snapshot that comes late", () => {
    const have = desk({});
    expect(newer(have, desk({ measured_at: "2026-11-25T14:59:59Z" }))).toBe(false);
    expect(newer(have, desk({ measured_at: "2026-11-25T15:00:00Z" }))).toBe(true);
    expect(newer(null, have)).toBe(true);
  });
});

describe("who was asked", () => {
  const asking = (state: Leg["state"] | null): Desk => desk({
    items: [item("a", { consult: state && { participant: "p", role: "agent", name: "Luis", address: null, state, agent: "luis" } })],
  });
  it("has answered when the ring tone gives way to a voice, and not otherwise", () => {
    expect(hasAnswered(asking("ringing"), asking("talking"))).toBe(true);
    for (const [before, now] of [["ringing", "ringing"], ["talking", "talking"], ["held", "talking"], [null, "talking"], ["ringing", null]] as const)
      expect(hasAnswered(asking(before), asking(now))).toBe(false);
    expect(hasAnswered(null, asking("talking"))).toBe(false);
  });
});

describe("names", () => {
  it("calls people by name, else by number, else says that there is none", () => {
    expect(callerOf(item("a", { from_name: "Rosa" }))).toBe("Rosa");
    expect(callerOf(item("a", { from_name: "0987654321" }))).toBe("098 765 4321");
    expect(callerOf(item("a", { from_address: "" }))).toBe("Número reservado");
  });
  it("takes the other side of an outbound call", () => {
    expect(callerOf(item("a", { direction: "outbound" }))).toBe("07 283 1900");
    expect(numberOf(item("a", { direction: "outbound" }))).toBe("072831900");
  });
});

describe("a conference", () => {
  it("is one also while the citizen is held in it", () => {
    expect(isConference(item("a", { phase: "conference", held: true }))).toBe(true);
    expect(isConference(item("a", { phase: "consult" }))).toBe(false);
  });
});

describe("codes without a title", () => {
  it("are spoken as well as they can be", () => expect(spoken("agua_potable")).toBe("Agua potable"));
});

describe("numbers to dial", () => {
  it("takes what people write and refuses what is no number", () => {
    expect(["098 765 4321", "(07) 283-1900", "+593987654321", "*97", "Luis", "9", "sip:x@y"].map(dialable)).toEqual(["0987654321", "072831900", "+593987654321", "*97", null, null, null]);
  });
});

describe("the timeline", () => {
  const names = { agent: (id: string) => id.toUpperCase(), queue: (id: string) => `cola ${id}` };
  it("tells what happened in words, and leaves out what tells nothing", () => {
    const lines = linesOf([
      { n: 1, at: "", type: "started", data: { direction: "inbound", to_address: "072831900" } },
      { n: 2, at: "", type: "flow_noted", data: { kind: "menu.choice", data: { option: "1", name: "Agua potable" } } },
      { n: 3, at: "", type: "flow_noted", data: { kind: "node", data: { node: "x" } } },
      { n: 4, at: "", type: "queued", data: { queue: "agua" } },
      { n: 5, at: "", type: "offer_ended", data: { agent: "luis", how: "expired" } },
      { n: 6, at: "", type: "offer_ended", data: { agent: "ana", how: "accepted" } },
      { n: 7, at: "", type: "never_heard_of", data: {} },
      { n: 8, at: "", type: "consult_begun", data: { by: "ana", kind: "agent", to: "luis" } },
      { n: 9, at: "", type: "transferred", data: { by: "ana", kind: "number", to: "0987654321" } },
    ], names);
    expect(lines.map((one) => one.text)).toEqual(["Llamó al 07 283 1900", "Eligió «Agua potable»", "Entró a la cola cola agua", "LUIS no la tomó", "Consulta a LUIS", "Se transfirió a 098 765 4321"]);
  });
});

describe("messages", () => {
  it("stay until they were read, and one's own need no reading", () => {
    const one = (id: string, at: string, mine = false) => ({ id, at, sender: "s", sender_name: "Sonia", text: "Hola", mine });
    const all = [one("1", "2026-11-25T15:00:00Z"), one("2", "2026-11-25T15:01:00Z", true), one("3", "2026-11-25T15:02:00Z")];
    expect(unread(all, "").map((m) => m.id)).toEqual(["1", "3"]);
    expect(unread(all, "2026-11-25T15:00:00Z").map((m) => m.id)).toEqual(["3"]);
  });
});

describe("articles", () => {
  it("become headings, paragraphs and lists", () => {
    expect(blocksOf("# Fuga\nPida la\ndirección.\n\n- una\n- dos\n  más\n\n1. abra\n2. diga")).toEqual([
      { kind: "h", text: "Fuga" }, { kind: "p", text: "Pida la dirección." }, { kind: "ul", items: ["una", "dos más"] }, { kind: "ol", items: ["abra", "diga"] },
    ]);
  });
  it("never become HTML", () => {
    expect(blocksOf("<img src=x onerror=alert(1)>")).toEqual([{ kind: "p", text: "<img src=x onerror=alert(1)>" }]);
  });
});
