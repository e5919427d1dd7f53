import { deskOf, fixed } from "./desk.ts";

// What the make-believe server answers: enough of a working day to look at.
export interface Answer {
  status: number;
  body?: unknown;
}

const PERMISSIONS = ["calls.handle", "calls.place", "interactions.read_own", "recordings.read_own", "agents.read", "queues.read", "interactions.read", "users.write", "calls.control"];
const user = { id: "u1", username: "ana", name: "Ana Lucía Tapia", role: "agent", role_title: "Agente", agent: "ana", permissions: PERMISSIONS, language: "es", theme: "auto", totp: false, must_change_password: false };
const session = { user, csrf: "dev", expires_at: "2030-01-01T00:00:00Z" };
let signedIn = true;

const ok = (body: unknown): Answer => ({ status: 200, body });

export function answers(method: string, path: string, scene: string): Answer {
  if (path === "/sign-in/methods") return ok({ password: true, oidc: { title: "ETAPA EP", href: "/api/v1/session/oidc" }, organisation: "ETAPA EP" });
  if (path === "/sign-in/session") {
    if (method === "POST") signedIn = true;
    return ok({ session: signedIn && scene !== "out" ? session : null, refused: null });
  }
  if (path === "/session" && method === "DELETE") {
    signedIn = false;
    return { status: 204 };
  }
  // /llamar?scene=not_offered, lines_busy, too_many_calls
  if (path === "/webphone" && method === "GET") return scene ? { status: scene === "not_offered" ? 404 : 429, body: { code: `webphone.${scene}` } } : { status: 204 };
  if (method !== "GET") return path === "/me/phone" ? { status: 503, body: { code: "switch.unreachable" } } : { status: 204 };
  if (path === "/me/desk") return ok(deskOf(scene));
  const found = fixed(path);
  if (found !== undefined) return ok(found);
  return { status: 404, body: { code: "not_found", status: 404 } };
}
