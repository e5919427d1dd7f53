// The parts of the organisation, and the fields of each. What is not here can still be written in the whole text.
import type { Section } from "./document";
import type { t } from "./texts";

type Key = keyof typeof t.dictionary;

export interface FieldSpec {
  path: string;
  label: Key;
  hint?: Key;
  /** percent: a share kept as 0.8, shown as 80; pick and many: names of another section; the others have a form of their own. */
  kind: "text" | "number" | "percent" | "check" | "pick" | "many" | "week" | "special" | "rings" | "overflow" | "levels";
  from?: Section;
  /** What stands for "not given" in a pick. */
  none?: Key;
}

export interface OrgSection extends Section {
  id: string;
  title: Key;
  fields: readonly FieldSpec[];
  /** Shown in the list, beside the name. */
  columns: readonly FieldSpec[];
  /** The name of an entry is chosen by people as a word, not as a code. */
  personal?: boolean;
  /** Sections in whose entries this one's names stand. */
  usedIn: readonly string[];
}

const title: FieldSpec = { path: "title", label: "org.title", kind: "text" };
const skills: Section = { path: "skills", key: "name", shape: "titles" };
const calendars: Section = { path: "calendars", key: "name", shape: "map" };
const queues: Section = { path: "queues", key: "name", shape: "list" };
const teams: Section = { path: "teams", key: "name", shape: "list" };
const capacities: Section = { path: "capacities", key: "name", shape: "map" };
const contactReasons: Section = { path: "contact_reasons", key: "name", shape: "titles" };
const dispositions: Section = { path: "dispositions", key: "name", shape: "titles" };

const requires: FieldSpec = { path: "requires", label: "org.requires", hint: "org.requiresHint", kind: "text" };
const calendar: FieldSpec = { path: "calendar", label: "org.calendar", kind: "pick", from: calendars, none: "org.always" };
const priority: FieldSpec = { path: "priority", label: "org.priority", kind: "number" };
const threshold: FieldSpec = { path: "service_level.threshold_s", label: "org.threshold", kind: "number" };
const target: FieldSpec = { path: "service_level.target", label: "org.target", kind: "percent" };
const team: FieldSpec = { path: "team", label: "org.team", kind: "pick", from: teams };
const week: FieldSpec = { path: "week", label: "org.week", kind: "week" };
const skillLevels: FieldSpec = { path: "skills", label: "org.skills", kind: "levels" };

export const SECTIONS: readonly OrgSection[] = [
  {
    id: "colas", title: "nav.queues", ...queues, usedIn: ["teams", "agents", "queues"],
    columns: [requires, calendar, priority, target],
    fields: [
      title, requires, calendar, priority, threshold, target,
      { path: "wrap_up_s", label: "org.wrapUp", kind: "number" },
      { path: "offer_s", label: "org.offer", kind: "number" },
      { path: "max_wait_s", label: "org.maxWait", kind: "number" },
      { path: "max_length", label: "org.maxLength", kind: "number" },
      { path: "ageing_per_min", label: "org.ageing", kind: "number" },
      { path: "disposition_required", label: "org.dispositionRequired", kind: "check" },
      { path: "auto_accept", label: "org.autoAccept", kind: "check" },
      { path: "contact_reasons", label: "org.contactReasons", hint: "org.allHint", kind: "many", from: contactReasons },
      { path: "dispositions", label: "org.dispositions", hint: "org.allHint", kind: "many", from: dispositions },
      { path: "rings", label: "org.rings", kind: "rings" },
      { path: "overflow", label: "org.overflow", kind: "overflow" },
    ],
  },
  { id: "habilidades", title: "nav.skills", ...skills, usedIn: ["queues", "teams", "agents"], columns: [], fields: [title] },
  {
    id: "equipos", title: "nav.teams", ...teams, usedIn: ["agents"],
    columns: [{ path: "queues", label: "org.queues", kind: "many", from: queues }, { path: "positions", label: "org.positions", kind: "number" }],
    fields: [
      title, { path: "positions", label: "org.positions", kind: "number" },
      { path: "capacity", label: "org.capacity", kind: "pick", from: capacities },
      { path: "queues", label: "org.queues", kind: "many", from: queues }, skillLevels,
      { path: "auto_accept", label: "org.autoAccept", kind: "check" },
    ],
  },
  {
    id: "agentes", title: "nav.agents", path: "agents", key: "id", shape: "list", personal: true, usedIn: [],
    columns: [team, skillLevels, { path: "phone", label: "org.phone", kind: "text" }],
    fields: [
      { path: "name", label: "org.person", kind: "text" }, team, skillLevels,
      { path: "queues", label: "org.queues", hint: "org.teamQueues", kind: "many", from: queues },
      { path: "capacity", label: "org.capacity", kind: "pick", from: capacities, none: "org.teamCapacity" },
      { path: "phone", label: "org.phone", kind: "text" },
    ],
  },
  {
    id: "horarios", title: "nav.calendars", ...calendars, usedIn: ["queues"], columns: [week, { path: "holidays", label: "org.holidays", kind: "text" }],
    fields: [
      week, { path: "holidays", label: "org.holidays", kind: "pick", none: "org.noHolidays" },
      { path: "special", label: "org.special", kind: "special" },
    ],
  },
  {
    id: "pausas", title: "nav.reasons", path: "reasons", key: "name", shape: "map", usedIn: [],
    columns: [{ path: "productive", label: "org.productive", kind: "check" }],
    fields: [title, { path: "productive", label: "org.productive", kind: "check" }],
  },
  { id: "motivos", title: "nav.contact_reasons", ...contactReasons, usedIn: ["queues"], columns: [], fields: [title] },
  { id: "resultados", title: "nav.dispositions", ...dispositions, usedIn: ["queues"], columns: [], fields: [title] },
];

/** The tables of holidays that a calendar may keep. */
export const HOLIDAYS = ["ecuador", "cuenca"];
export const NAME = /^[a-z][a-z0-9_-]{0,39}$/;
