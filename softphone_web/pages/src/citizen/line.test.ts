import { afterEach, expect, it, vi } from "vitest";
import { microphoneFor, openLine, type Detail } from "./line";
import { next, type Event, type State } from "./machine";

afterEach(() => vi.unstubAllGlobals());

function server(answer: () => Response) {
  const asked = vi.fn<(address: string, how: RequestInit) => Promise<Response>>(() => new Promise((done) => done(answer())));
  vi.stubGlobal("fetch", asked);
  return asked;
}

const problem = (status: number, code: string, after?: string) => () =>
  new Response(JSON.stringify({ code, status }), { status, headers: after === undefined ? {} : { "Retry-After": after } });

function microphone() {
  const asked = vi.fn(() => Promise.resolve({} as MediaStream));
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia: asked } });
  return asked;
}

/** What was told by asking first, and by asking for the line itself. */
async function told(answer: () => Response): Promise<[Event, Detail?][]> {
  server(answer);
  const asked = microphone();
  const heard: [Event, Detail?][] = [];
  const tell = (event: Event, detail?: Detail): State => (heard.push([event, detail]), next("checking", event));
  expect(await microphoneFor(tell)).toBeNull();
  expect(asked).not.toHaveBeenCalled();
  expect(await openLine({} as HTMLAudioElement, {} as MediaStream, tell)).toBeNull();
  expect(heard[0]).toEqual(heard[1]);
  expect(heard).toHaveLength(2);
  return heard;
}

it("asks for the microphone once there can be a call, and takes no line before", async () => {
  const asked = server(() => new Response(null, { status: 204 }));
  const ears = microphone();
  expect(await microphoneFor((event) => next("checking", event))).not.toBeNull();
  expect(asked.mock.calls.map(([address, how]) => [address, how.method])).toEqual([["/api/v1/webphone", "GET"]]);
  expect(ears).toHaveBeenCalledOnce();
});

it("asks for no microphone when the call was given up meanwhile", async () => {
  server(() => new Response(null, { status: 204 }));
  const ears = microphone();
  expect(await microphoneFor((event) => next("idle", event))).toBeNull();
  expect(ears).not.toHaveBeenCalled();
});

it.each([
  [404, "webphone.not_offered", undefined, "not_offered", {}],
  [429, "webphone.lines_busy", "30", "no_room", { retryS: 30 }],
  [429, "webphone.too_many_calls", "17", "too_many", { retryS: 17 }],
  [503, "unavailable", "2", "unavailable", { retryS: 2 }],
] as const)("tells a %i %s apart", async (status, code, after, event, detail) => {
  expect((await told(problem(status, code, after)))[0]).toEqual([event, detail]);
});

it("knows a proxy's answers by their status, and takes no other for a reason", async () => {
  expect((await told(() => new Response("<p>slow down</p>", { status: 429 })))[0]).toEqual(["too_many", {}]);
  expect((await told(() => new Response("<p>away</p>", { status: 503 })))[0]).toEqual(["unavailable", {}]);
  expect((await told(problem(404, "not_found")))[0]?.[0]).toBe("broken");
  expect((await told(problem(500, "internal")))[0]?.[0]).toBe("broken");
  expect((await told(() => { throw new TypeError("no network"); }))[0]?.[0]).toBe("broken");
});
