// The state on the start page, with figures for who is signed in: asks /health every few seconds, only while the page is looked at.
"use strict";

const EVERY_MS = 5000;
const GIVE_UP_MS = 4000;

const WORDS = {
  ok: ["La plataforma funciona con normalidad", "Todos los servicios responden."],
  degraded: ["La plataforma funciona con limitaciones", "Se atienden llamadas, pero un servicio no responde bien."],
  no_trunk: ["La plataforma funciona con limitaciones", "Ninguna troncal está activa: no entran ni salen llamadas de la red telefónica."],
  degraded_unknown: ["La plataforma funciona con limitaciones", "Un servicio no responde bien y no se sabe si entran llamadas."],
  down: ["La plataforma no está disponible", "Un servicio indispensable no responde. El equipo técnico debe revisarlo."],
  unreachable: ["No hay respuesta del servidor", "Se intenta de nuevo cada pocos segundos. Revise su conexión."],
};

const LEVELS = { no_trunk: "degraded", degraded_unknown: "degraded" };

const byId = (id) => document.getElementById(id);

function show(id, text, note = "", level = "") {
  const figure = byId(id);
  figure.dataset.level = level;
  const [value, small] = figure.querySelectorAll("dd");
  value.textContent = text;
  small.textContent = note;
}

function verdict(status) {
  const [title, text] = WORDS[status];
  byId("state").dataset.status = status === "unreachable" ? "down" : status in LEVELS ? LEVELS[status] : status;
  if (byId("verdict-title").textContent !== title) {
    byId("verdict-title").textContent = title;
    byId("verdict-text").textContent = text;
  }
}

function minutes(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function draw(health) {
  if (health.status !== "degraded" || health.takes_calls) verdict(health.status);
  else verdict(health.takes_calls === null ? "degraded_unknown" : "no_trunk");
  const time = new Date(health.measured_at).toLocaleTimeString("es-EC", { hour12: false });
  byId("measured").textContent = `Medido a las ${time}. Se actualiza cada ${EVERY_MS / 1000} segundos.`;
  byId("figures").hidden = health.figures === null;
  if (health.figures) drawFigures(health.figures);
}

function drawFigures(figures) {
  const unknown = ["—", "sin medición", "warn"];
  const { switch: central, trunks, queues, calls } = figures;
  if (central === "ok") show("switch", "Conectada");
  else if (central === "failed") show("switch", "Sin conexión", "no responde", "bad");
  else show("switch", ...unknown);
  if (trunks === null) show("trunks", ...unknown);
  else if (trunks.total === 0) show("trunks", "0", "ninguna configurada");
  else show("trunks", `${trunks.up} de ${trunks.total}`, trunks.total === 1 ? "activa" : "activas", trunks.up === trunks.total ? "" : trunks.up ? "warn" : "bad");
  if (calls === null) show("calls", ...unknown);
  else show("calls", String(calls), "en curso");
  if (queues === null) show("queues", ...unknown);
  else if (queues.longest_wait_s === null) show("queues", String(queues.waiting), `en ${queues.total} ${queues.total === 1 ? "cola" : "colas"}`);
  else show("queues", String(queues.waiting), `la más larga ${minutes(queues.longest_wait_s)}`);
}

async function ask() {
  try {
    const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(GIVE_UP_MS) });
    if (!answer.ok) throw new Error(String(answer.status));
    draw(await answer.json());
  } catch {
    verdict("unreachable");
    for (const id of ["switch", "trunks", "calls", "queues"]) show(id, "—");
  }
}

let timer = 0;
function turn() {
  clearInterval(timer);
  if (document.hidden) return;
  ask();
  timer = setInterval(ask, EVERY_MS);
}
document.addEventListener("visibilitychange", turn);
turn();
