import { describe, expect, it } from "vitest";
import { keyOf, packedWeek, periodsOf, timeOf, weekOf, wrongIn } from "./hours";
import { changeOf } from "./changes";
import { counts, difference } from "./difference";
import { entriesOf, fieldOf, nameOf, onTop, usesOf, withEntry, withField, withoutEntry, type Document, type Section } from "./document";
import { mistakesOf, placeOf } from "./mistakes";
import { nodeOf } from "./drawing";
import { heard, inputOf, inputOfChoice, mayMeetBot, NO_TALK } from "./rehearsal";

const QUEUES: Section = { path: "queues", key: "name", shape: "list" };
const SKILLS: Section = { path: "skills", key: "name", shape: "titles" };
const CALENDARS: Section = { path: "calendars", key: "name", shape: "map" };
const DOCUMENT: Document = {
  skills: { agua: "Agua potable", internet: "Internet" },
  calendars: { siempre: { week: { all: ["00:00-24:00"] } } },
  queues: [
    { name: "agua-potable", requires: "agua >= 2", calendar: "siempre", service_level: { target: 0.8 } },
    { name: "internet", requires: "internet", rings: [{ after_s: 90, drop: ["internet"] }] },
  ],
  agents: [{ id: "ana", skills: { agua: 5 } }],
};

describe("the organisation as a document", () => {
  it("reads lists, maps and titles alike, and writes them back as they were", () => {
    expect(entriesOf(DOCUMENT, SKILLS)).toEqual([
      { name: "agua", title: "Agua potable" }, { name: "internet", title: "Internet" },
    ]);
    for (const section of [QUEUES, SKILLS, CALENDARS]) {
      const [first = {}] = entriesOf(DOCUMENT, section);
      expect(withEntry(DOCUMENT, section, nameOf(first, section), first)).toEqual(DOCUMENT);
    }
  });
  it("puts what I changed, and nothing else, on what somebody saved meanwhile", () => {
    const before = { name: "agua", priority: 5, offer_s: 15, title: "Agua" };
    const theirs = { name: "agua", priority: 12, title: "Agua potable", max_length: 9 };
    // I changed the priority and took the title away; of what they did the rest stays
    expect(onTop(theirs, before, { name: "agua", priority: 7, offer_s: 15 })).toEqual({ name: "agua", priority: 7, max_length: 9 });
    expect(onTop(undefined, before, { ...before, priority: 7 })).toEqual({ ...before, priority: 7 }); // removed by them
  });
  it("changes one entry in its place, adds at the end, takes one away", () => {
    const renamed = withEntry(DOCUMENT, QUEUES, "agua-potable", { name: "agua", requires: "" });
    expect(entriesOf(renamed, QUEUES).map((one) => one["name"])).toEqual(["agua", "internet"]);
    const more = withEntry(DOCUMENT, SKILLS, null, { name: "senas", title: "Señas" });
    expect(more["skills"]).toEqual({ agua: "Agua potable", internet: "Internet", senas: "Señas" });
    expect(entriesOf(withoutEntry(more, SKILLS, "agua"), SKILLS).map((one) => one["name"])).toEqual(["internet", "senas"]);
    expect(DOCUMENT["skills"]).toEqual({ agua: "Agua potable", internet: "Internet" });
  });
  it("sets and clears fields in fields", () => {
    const [queue = {}] = entriesOf(DOCUMENT, QUEUES);
    expect(fieldOf(queue, "service_level.target")).toBe(0.8);
    expect(fieldOf(withField(queue, "service_level.threshold_s", 20), "service_level")).toEqual({ target: 0.8, threshold_s: 20 });
    expect(withField(queue, "service_level.target", undefined)).not.toHaveProperty("service_level");
  });
  it("knows who uses a name, in expressions too, and not by a part of a word", () => {
    expect(usesOf(DOCUMENT, "agua", ["queues", "agents"])).toEqual(["agua-potable", "ana"]);
    expect(usesOf(DOCUMENT, "siempre", ["queues"])).toEqual(["agua-potable"]);
    expect(usesOf(DOCUMENT, "inter", ["queues", "agents"])).toEqual([]);
  });
});

const YAML = `timezone: America/Guayaquil
skills:
  agua: Agua potable
calendars:
  oficina:
    week:
      mon-fri:
      - 08:00-25:00
queues:
- name: agua-potable
  requires: agua >
  service_level:
    target: 8
- name: internet
  calendar: nunca
`;

describe("mistakes find their field", () => {
  it("by the line they lie in", () => {
    const at = (line: number) => Object.values(placeOf(YAML, line) ?? {}).join("/");
    expect(at(1)).toBe("timezone//");
    expect(at(3)).toBe("skills/agua/");
    expect(at(8)).toBe("calendars/oficina/week.mon-fri");
    expect(at(10)).toBe("queues/agua-potable/name");
    expect(at(11)).toBe("queues/agua-potable/requires");
    expect(at(13)).toBe("queues/agua-potable/service_level.target");
    expect(at(15)).toBe("queues/internet/calendar");
  });
  it("in braces too, by the column", () => {
    const flow = "queues:\n- {name: agua, rings: [{after_s: -1, loosen: {agua: 1}}]}\n";
    expect(placeOf(flow, 2, 25)).toEqual({ section: "queues", entry: "agua", field: "rings.0.after_s" });
    expect(placeOf(flow, 9)).toBeNull();
    const agents = "agents:\n- {id: ana, name: Ana Cordero, skills: {agua: 11}}\n"; // whose code is the id, not the name
    expect(placeOf(agents, 2, 45)).toEqual({ section: "agents", entry: "ana", field: "skills.agua" });
  });
  it("and are told at one entry only", () => {
    const mistake = { line: 11, column: 13, key: "queues.0.requires", message: "falta un número" };
    expect([...mistakesOf(YAML, [mistake], "queues", "agua-potable").keys()]).toEqual(["requires"]);
    expect(mistakesOf(YAML, [mistake], "queues", "internet").size).toBe(0);
  });
});

describe("differences", () => {
  const text = Array.from({ length: 20 }, (_, n) => `line ${n}`).join("\n");
  it("shows what changed with its surroundings and its line numbers, and folds the rest", () => {
    const pieces = difference(text, text.replace("line 10", "line ten"), 2);
    expect(pieces.map((piece) => ("lines" in piece ? piece.lines.length : `${piece.skipped} skipped`))).toEqual([
      "8 skipped", 6, "7 skipped",
    ]);
    expect(counts(pieces)).toEqual({ added: 1, removed: 1 });
    const removed = pieces.flatMap((p) => ("lines" in p ? p.lines : [])).find((l) => l.sign === "-");
    expect(removed).toEqual({ sign: "-", before: 11, after: null, text: "line 10" });
  });
  it("is empty for what is the same, whether or not it ends with a new line", () => {
    expect(difference(text, `${text}\n`)).toEqual([]);
  });
});

describe("a rehearsal", () => {
  const waiting = { kind: "keys", detail: "", options: [] };
  it("is a conversation in order", () => {
    const hello = { session: "s", said: [{ kind: "text", text: "Bienvenido" }], waiting, path: ["a"], node: "a", over: false };
    const talk = heard(heard(NO_TALK, null, hello), "1", { ...hello, said: [{ kind: "text", text: "Adiós" }], node: "b", over: true });
    expect(talk.lines).toEqual([
      { by: "platform", text: "Bienvenido" }, { by: "caller", text: "1" }, { by: "platform", text: "Adiós" },
    ]);
    expect([talk.node, talk.over]).toEqual(["b", true]);
  });
  it("tells keys from words", () => {
    expect(inputOf(" 12# ")).toEqual({ digits: "12#" });
    expect(inputOf("no tengo agua")).toEqual({ text: "no tengo agua" });
    expect(inputOf("  ")).toBeNull();
  });
  it("takes the server's options as its input", () => {
    expect(inputOfChoice({ field: "digits", value: "1", title: "Agua" })).toEqual({ digits: "1" });
    expect(inputOfChoice({ field: "answer.queue", value: "answered", title: "" })).toEqual({ answer: { queue: "answered" } });
    expect(inputOfChoice({ field: "answer", value: '{"status":200}', title: "" })).toEqual({ answer: { status: 200 } });
    expect(inputOfChoice({ field: "hangup", value: "", title: "" })).toEqual({ hangup: true });
  });
  it("asks who answers for a bot only where one may be met", () => {
    expect(mayMeetBot("uno: {kind: bot, name: averias}")).toBe(true);
    expect(mayMeetBot("uno:\n  kind: subflow\n  flow: asistente")).toBe(true);
    expect(mayMeetBot("uno: {kind: menu, prompts: El robot le atiende}")).toBe(false);
  });
});

describe("the drawing", () => {
  const nodes = [{ name: "saludo", kind: "play", line: 3 }, { name: "un_nombre_que_es_muy_largo_de_verdad", kind: "menu", line: 9 }];
  it("finds a node by its name, also when the picture cuts it", () => {
    expect(nodeOf("saludo", nodes)?.line).toBe(3);
    expect(nodeOf("un_nombre_que_es_muy_la…", nodes)?.line).toBe(9);
    expect(nodeOf("sal", nodes)).toBeUndefined();
  });
});

describe("what the server says that changes", () => {
  it("is taken apart, in lists and in maps", () => {
    expect(changeOf("~ queues[agua-potable].priority: 5 → 12")).toEqual({ sign: "~", section: "queues", entry: "agua-potable", field: "priority", value: "5 → 12" });
    expect(changeOf("+ queues[internet].service_level.target: 0.8")?.field).toBe("service_level.target");
    expect(changeOf("+ skills.senas: Lengua de señas: nivel")).toEqual({ sign: "+", section: "skills", entry: "senas", field: "", value: "Lengua de señas: nivel" });
  });
  it("is left alone when it is something else", () => {
    expect(changeOf("~ timezone: UTC → America/Guayaquil")).toBeNull();
  });
});

describe("opening hours", () => {
  const oficina = { "mon-fri": ["08:00-13:00", "14:00-17:00"], sun: ["08:00-14:00"] };
  it("are seven days in the form and the same text afterwards", () => {
    const week = weekOf(oficina);
    expect(week.wed).toEqual([{ from: "08:00", to: "13:00" }, { from: "14:00", to: "17:00" }]);
    expect(week.sat).toEqual([]);
    expect(packedWeek(week)).toEqual(oficina);
    expect(packedWeek(weekOf({ all: ["00:00-24:00"] }))).toEqual({ all: ["00:00-24:00"] });
    expect(packedWeek({ ...week, wed: [] })).toEqual({ "mon-tue": oficina["mon-fri"], "thu-fri": oficina["mon-fri"], sun: oficina.sun });
    expect(packedWeek(weekOf(undefined))).toBeUndefined();
  });
  it("stand under the key in which the server finds a mistake", () => {
    expect([keyOf(oficina, "tue"), keyOf(oficina, "sat"), keyOf({ all: [] }, "sun")]).toEqual(["mon-fri", null, "all"]);
  });
  it("are in order, whole, and end after they begin", () => {
    const of = (...hours: string[]) => wrongIn(periodsOf(hours));
    expect(of("08:00-25:00")).toBe("noTime");
    expect(of("8 de la mañana-13:00")).toBe("noTime");
    expect([of(), of("08:00-13:00", "13:00-24:00")]).toEqual([null, null]);
    expect([of("08:00-"), of("22:00-06:00"), of("08:00-13:00", "12:00-17:00")]).toEqual(["missing", "order", "overlap"]);
  });
  it("are of 24 hours, however they are typed", () => {
    expect(["8", "8:30", "830", "8.30", "17h00", "1730", " 09:15 ", "24:00"].map(timeOf)).toEqual(["08:00", "08:30", "08:30", "08:30", "17:00", "17:30", "09:15", "24:00"]);
    expect(["25:00", "8:75", "mañana", "", "24:30"].map(timeOf)).toEqual(["25:00", "8:75", "mañana", "", "24:30"]);
  });
});
