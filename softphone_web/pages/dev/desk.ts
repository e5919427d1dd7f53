// A desk of make-believe, by scene: `?scene=offer` in the page's address chooses it.
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
const agentIn = (state: string, since: number, reason: string | null = null): object => ({
  id: "ana", name: "Ana Lucía Tapia", state, since: ago(since), reason, wanted: null, wanted_reason: null, queues: ["contact-center", "internet"],
});
const offer = (): object => ({
  id: "o1", kind: "offer", by: null, interaction: "i1", medium: "voice", queue: "contact-center", queue_title: "Agua potable y alcantarillado", reason: "fuga", priority: 5,
  from_address: "0987654321", from_name: "Rosa Elena Quizhpe", waited_s: 74, expires_at: ago(-14), auto_accept: false,
  path: [{ node: "motivo", option: "1", title: "Agua potable" }, { node: "agua", option: "2", title: "Fuga en la vía" }],
});
const leg = (participant: string, role: string, name: string, state: string, agent: string | null = null): object => ({ participant, role, name, address: agent ?? "0987654321", state, agent });
const item = (change: object = {}): object => ({
  interaction: "i1", medium: "voice", direction: "inbound", phase: "talking", from_address: "0987654321", from_name: "Rosa Elena Quizhpe", to_address: "072831900",
  queue: "contact-center", queue_title: "Agua potable y alcantarillado", reason: "fuga", connected_at: ago(187), held: false, recording: "on",
  legs: [leg("p1", "customer", "Rosa Elena Quizhpe", "talking"), leg("p2", "agent", "Ana Lucía Tapia", "talking", "ana")], consult: null, supervised: null, mine: true, ...change,
});
const consult = leg("p3", "agent", "Luis Fernando Pauta", "talking", "luis");
const CODES = {
  dispositions: [{ code: "resuelto", title: "Resuelto" }, { code: "orden", title: "Se generó orden de trabajo" }, { code: "seguimiento", title: "Requiere seguimiento" }],
  reasons: [{ code: "fuga", title: "Fuga de agua en la vía" }, { code: "sin_agua", title: "Falta de agua" }],
};
const wrapUp = (): object => ({ interaction: "i1", queue: "contact-center", until: ago(-48), disposition: null, disposition_required: true, ...CODES });

const SCENES: Record<string, () => object> = {
  ready: () => ({ agent: agentIn("ready", 342), offers: [], items: [], wrap_ups: [] }),
  pause: () => ({ agent: agentIn("not_ready", 610, "almuerzo"), offers: [], items: [], wrap_ups: [] }),
  offer: () => ({ agent: agentIn("reserved", 6), offers: [offer()], items: [], wrap_ups: [] }),
  call: () => ({ agent: agentIn("interacting", 187), offers: [], items: [item()], wrap_ups: [] }),
  held: () => ({ agent: agentIn("interacting", 187), offers: [], items: [item({ held: true, recording: "paused" })], wrap_ups: [] }),
  consult: () => ({ agent: agentIn("interacting", 187), offers: [], items: [item({ held: true, consult })], wrap_ups: [] }),
  conference: () => ({ agent: agentIn("interacting", 187), offers: [], items: [item({ consult, legs: [leg("p1", "customer", "Rosa Elena Quizhpe", "talking"), leg("p2", "agent", "Ana", "talking", "ana"), consult] })], wrap_ups: [] }),
  wrapup: () => ({ agent: agentIn("wrap_up", 12), offers: [], items: [], wrap_ups: [wrapUp()] }),
};

export const deskOf = (scene: string): object => ({
  ...(SCENES[scene] ?? SCENES["ready"])?.(),
  phone: { kind: "web", leg: "up", endpoint: "web-ana", online: true },
  measured_at: new Date().toISOString(),
});

const event = (n: number, seconds: number, type: string, data: object): object => ({ n, at: ago(seconds), type, data });
const customer = (): object => ({
  identity: { name: "Rosa Elena Quizhpe Morocho", document: "0102345678", kind: "natural", phones: ["0987654321", "072456789"], emails: ["rosa.quizhpe@example.com"], sector: "El Vecino", accessibility: false, critical: true, how_sure: "phone" },
  contracts: [
    { number: "A-204518", service: "Agua potable", address: "Av. de las Américas 4-58", status: "activo", debt: 0, due: "" },
    { number: "I-88213", service: "Internet fibra 100 Mbps", address: "Av. de las Américas 4-58", status: "activo", debt: 28.4, due: "2026-11-30" },
  ],
  cases: [{ id: "C-10932", title: "Medidor sin lectura en octubre", status: "En inspección", opened_at: "2026-11-12" }],
  outages: [{ service: "Agua potable", sector: "El Vecino", reason: "Reparación de tubería", until: "18:00" }],
  interactions: [
    { id: "x1", at: ago(86400 * 3), medium: "voice", direction: "inbound", queue: "contact-center", reason: "medidor", disposition: "Seguimiento", agent: "Luis Pauta", seconds: 342 },
    { id: "x2", at: ago(86400 * 40), medium: "voice", direction: "inbound", queue: "planillas", reason: "planilla", disposition: "Resuelto", agent: "Ana Tapia", seconds: 128 },
  ],
  notes: [{ id: "n1", at: ago(86400 * 3), by: "Luis Pauta", text: "Prefiere que la llamen por la tarde.", interaction: null }],
  measured_at: new Date().toISOString(), sources: [{ name: "comercial", ok: true, detail: "" }],
});

const FIXED: Record<string, () => unknown> = {
  "/not-ready-reasons": () => ({ items: [["almuerzo", "Almuerzo"], ["pausa", "Pausa activa"], ["reunion", "Reunión"], ["capacitacion", "Capacitación"], ["falla_tecnica", "Falla técnica"]].map(([code, title]) => ({ code, title })) }),
  "/wrap-up-codes": () => ({ required: true, ...CODES }),
  "/me/statistics": () => ({ day: "2026-11-25", handled: 23, offered: 25, missed: 1, rejected: 1, talk_s: 5230, hold_s: 310, wrap_up_s: 940, aht_s: 282, ready_s: 3600, not_ready_s: { almuerzo: 1800 }, occupancy: 0.64, measured_at: new Date().toISOString() }),
  "/interactions/i1": () => ({ id: "i1", medium: "voice", direction: "inbound", phase: "wrap_up", from_address: "0987654321", from_name: "Rosa Elena Quizhpe", to_address: "072831900", queue: "contact-center", reason: "fuga", agent: "ana", created_at: ago(290), answered_at: ago(289), queued_at: ago(261), connected_at: ago(187), ended_at: null, disposition: null }),
  "/interactions/i1/customer": customer,
  "/interactions/i1/notes": () => ({ items: [{ id: "n2", at: ago(60), by: "Ana Lucía Tapia", text: "Fuga frente al mercado, corre agua por la acera.", interaction: "i1" }] }),
  "/interactions/i1/events": () => ({
    items: [
      event(1, 290, "started", { direction: "inbound", to_address: "072831900" }), event(2, 280, "flow_noted", { kind: "menu.choice", data: { node: "motivo", option: "1", name: "Agua potable" } }),
      event(3, 270, "flow_noted", { kind: "menu.choice", data: { node: "agua", option: "2", name: "Fuga en la vía" } }), event(4, 261, "queued", { queue: "contact-center" }),
      event(5, 200, "offered", { agent: "luis" }), event(6, 190, "offer_ended", { agent: "luis", how: "expired" }), event(7, 188, "connected", { agent: "ana" }),
    ], next: null,
  }),
  "/knowledge": () => ({ items: [
    { id: "fuga", title: "Fuga de agua en la vía", excerpt: "Pida la dirección exacta y una referencia. Pregunte si el agua entra en una casa: entonces es urgente.", updated_at: "2026-11-02" },
    { id: "corte", title: "Cortes programados de agua", excerpt: "Los cortes se anuncian con 48 horas. Consulte el sector antes de abrir un caso.", updated_at: "2026-10-18" },
  ] }),
  "/knowledge/fuga": () => ({ id: "fuga", title: "Fuga de agua en la vía", excerpt: "", body: "Pida la **dirección exacta** y una referencia.\n\n## Es urgente si\n- el agua entra en una casa\n- hay un hueco en la calzada\n\n1. Abra una orden de trabajo.\n2. Diga el plazo: *24 horas*.", updated_at: "2026-11-02" }),
  "/scripts": () => ({ items: [{ id: "s1", title: "Reporte de fuga", steps: [{ text: "Salude y confirme el nombre." }, { text: "Pida la dirección y una referencia." }, { text: "Pregunte si el agua entra en una casa." }, { text: "Dé el número de la orden y el plazo." }] }] }),
  "/directory/search": () => ({ items: [
    { kind: "agent", id: "luis", name: "Luis Fernando Pauta", detail: "Internet", state: "ready", waiting: null }, { kind: "agent", id: "marta", name: "Marta Ordóñez", detail: "Planillas", state: "interacting", waiting: null },
    { kind: "queue", id: "internet", name: "Internet y telefonía", detail: "", state: null, waiting: 3 }, { kind: "number", id: "072831000", name: "Bodega de materiales", detail: "Lunes a viernes", state: null, waiting: null },
  ] }),
  "/agents": () => ({ items: [{ id: "ana", name: "Ana Lucía Tapia" }, { id: "luis", name: "Luis Fernando Pauta" }] }),
  "/queues": () => ({ items: [{ name: "contact-center", title: "Agua potable y alcantarillado" }, { name: "internet", title: "Internet" }] }),
};

export const fixed = (path: string): unknown => FIXED[path]?.();
