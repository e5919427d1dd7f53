// How good the line is, from what the browser measures: loss, jitter, round trip, and from them the mean opinion score
// that the E-model (ITU-T G.107, with G.113's figures for the codecs) expects. An estimate, and shown as one.

/** One reading of `RTCPeerConnection.getStats()`, reduced to what is used. Times in seconds. */
export interface Reading {
  at: number;
  received: number;
  lost: number;
  jitter: number | null;
  roundTrip: number | null;
  /** Sum over all played samples, and how many: their quotient is the buffer's delay. */
  bufferDelay: number;
  bufferCount: number;
  /** What the other side says it lost of ours, 0..1. */
  lostThere: number | null;
  codec: string | null;
}

export interface Quality {
  /** Of the worse direction, 0..1. */
  loss: number;
  jitterMs: number;
  roundTripMs: number | null;
  /** 1 (unusable) to 4.4 (as good as a telephone gets); null while nothing comes in. */
  mos: number | null;
  verdict: "unknown" | "good" | "fair" | "bad";
}

export const UNKNOWN: Quality = { loss: 0, jitterMs: 0, roundTripMs: null, mos: null, verdict: "unknown" };

// Equipment impairment and robustness to loss. G.113: G.711 with concealment; Opus as its authors' wideband listening
// tests place it on the narrowband scale.
const CODECS: Record<string, { ie: number; bpl: number }> = { pcmu: { ie: 0, bpl: 25.1 }, pcma: { ie: 0, bpl: 25.1 }, opus: { ie: 0, bpl: 20 } };
const OTHER = { ie: 11, bpl: 19 };
const PACKET_MS = 20;
const FAIR_BELOW = 3.8;
const BAD_BELOW = 3.1;
const LEAST_PACKETS = 20; // fewer in a reading say nothing of loss

/** R of the E-model: default values of G.107 give 93.2; delay and loss take away. `loss` in 0..1. */
export function rating(oneWayMs: number, loss: number, codec: string | null): number {
  const { ie, bpl } = CODECS[codec ?? ""] ?? OTHER;
  const percent = loss * 100;
  const delay = 0.024 * oneWayMs + (oneWayMs > 177.3 ? 0.11 * (oneWayMs - 177.3) : 0);
  return 93.2 - delay - (ie + (95 - ie) * (percent / (percent + bpl)));
}

export function score(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** What happened between two readings. Pure. */
export function judge(before: Reading, after: Reading): Quality {
  const received = after.received - before.received;
  const lost = Math.max(0, after.lost - before.lost);
  const roundTripMs = after.roundTrip === null ? null : after.roundTrip * 1000;
  if (received + lost < LEAST_PACKETS || after.at <= before.at) return { ...UNKNOWN, roundTripMs };
  const loss = Math.max(lost / (received + lost), after.lostThere ?? 0);
  const played = after.bufferCount - before.bufferCount;
  const bufferMs = played > 0 ? ((after.bufferDelay - before.bufferDelay) / played) * 1000 : 0;
  const jitterMs = (after.jitter ?? 0) * 1000;
  const mos = score(rating((roundTripMs ?? 0) / 2 + bufferMs + PACKET_MS, loss, after.codec));
  return { loss, jitterMs, roundTripMs, mos, verdict: mos < BAD_BELOW ? "bad" : mos < FAIR_BELOW ? "fair" : "good" };
}

/** A warning comes after two bad readings and goes after three good ones: one lost packet is no news. */
export function warned(history: readonly Quality["verdict"][], was: boolean): boolean {
  const known = history.filter((one) => one !== "unknown");
  if (was) return !(known.length >= 3 && known.slice(-3).every((one) => one === "good"));
  return known.length >= 2 && known.slice(-2).every((one) => one === "bad" || one === "fair") && known.slice(-2).includes("bad");
}

/** Reduces a report to a `Reading`; fields that a browser does not have stay null. */
export function readingOf(stats: Iterable<Record<string, unknown>>): Reading {
  const found: Reading = { at: 0, received: 0, lost: 0, jitter: null, roundTrip: null, bufferDelay: 0, bufferCount: 0, lostThere: null, codec: null };
  const all = [...stats];
  const figure = (value: unknown): number | null => (typeof value === "number" ? value : null);
  for (const one of all) {
    const type = one["type"];
    if (type === "inbound-rtp" && one["kind"] === "audio") {
      found.at = (figure(one["timestamp"]) ?? 0) / 1000;
      found.received = figure(one["packetsReceived"]) ?? 0;
      found.lost = figure(one["packetsLost"]) ?? 0;
      found.jitter = figure(one["jitter"]);
      found.bufferDelay = figure(one["jitterBufferDelay"]) ?? 0;
      found.bufferCount = figure(one["jitterBufferEmittedCount"]) ?? 0;
      const codec = all.find((other) => other["id"] === one["codecId"])?.["mimeType"];
      found.codec = typeof codec === "string" ? codec.split("/").pop()?.toLowerCase() ?? null : null;
    } else if (type === "remote-inbound-rtp") {
      found.lostThere = figure(one["fractionLost"]);
      found.roundTrip ??= figure(one["roundTripTime"]);
    } else if (type === "candidate-pair" && one["nominated"] === true) {
      found.roundTrip = figure(one["currentRoundTripTime"]) ?? found.roundTrip;
    }
  }
  return found;
}
