// A server of make-believe for `npm run dev` and for looking at pages. It is never built into them.
import type { IncomingMessage, ServerResponse } from "node:http";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { answers } from "./answers.ts";

const file = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

function pageOf(url: string): string | null {
  const first = url.split(/[?#]/)[0]?.split("/")[1] ?? "";
  return /^[a-z]+$/.test(first) && !["src", "static", "api", "node_modules"].includes(first) ? `/${first}.html` : null;
}

function respond(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const url = request.url ?? "/";
  if (url.startsWith("/static/icon.svg")) {
    response.setHeader("Content-Type", "image/svg+xml");
    return void response.end(file("icon.svg"));
  }
  if (url.startsWith("/api/v1/")) {
    const [path = ""] = url.slice("/api/v1".length).split("?");
    const found = answers(request.method ?? "GET", path);
    response.statusCode = found.status;
    response.setHeader("Content-Type", found.status >= 400 ? "application/problem+json" : "application/json");
    return void response.end(found.body === undefined ? "" : JSON.stringify(found.body));
  }
  const page = pageOf(url);
  if (page) request.url = page;
  next();
}

export const mockServer = (): Plugin => ({
  name: "rimay-mock",
  configureServer(server) {
    server.middlewares.use(respond);
  },
});
