// A server of make-believe for `npm run dev` and for looking at pages. It is never built into them.
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { answers } from "./answers.ts";

const file = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

function pageOf(url: string): string | null {
  const first = url.split(/[?#]/)[0]?.split("/")[1] ?? "";
  return /^[a-z]+$/.test(first) && !["src", "static", "api", "node_modules"].includes(first) ? `/${first}.html` : null;
}

const sceneOf = (request: IncomingMessage): string => new URL(request.headers.referer ?? "http://localhost/").searchParams.get("scene") ?? "";

/** Just enough of a web socket to say hello and stay open. */
function openSocket(request: IncomingMessage, socket: Duplex): void {
  if (!request.url?.startsWith("/api/v1/live")) return;
  const key = createHash("sha1").update(`${request.headers["sec-websocket-key"] ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: rimay.v1\r\n\r\n`);
  const hello = Buffer.from(JSON.stringify({ topic: "live", type: "hello", at: new Date().toISOString(), data: {} }));
  socket.write(Buffer.concat([Buffer.from([0x81, hello.length]), hello]));
  socket.on("error", () => socket.destroy());
}

function respond(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const url = request.url ?? "/";
  if (url.startsWith("/static/icon.svg")) {
    response.setHeader("Content-Type", "image/svg+xml");
    return void response.end(file("icon.svg"));
  }
  if (url.startsWith("/api/v1/")) {
    const [path = ""] = url.slice("/api/v1".length).split("?");
    const found = answers(request.method ?? "GET", path, sceneOf(request));
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
    server.httpServer?.on("upgrade", openSocket);
  },
});
