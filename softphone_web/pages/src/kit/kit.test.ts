import jsQR from "jsqr";
import { describe, expect, it } from "vitest";
import { actionFor, comboOf, shownKey, type Action, type Where } from "./actions";
import { browserOf } from "./browsers";
import { clock, fold, initials, percent, phone, spent } from "./format";
import { language, texts } from "./i18n";
import { Problem, sentence } from "./problem";
import { qrDrawing } from "./qr";
import { delay, FIRST_MS, LINK, LONGEST_MS, step, UnknownStep, type Link, type LinkEvent } from "./reconnect";

describe("formats", () => {
  it("writes durations in figures of a clock", () => {
    expect([0, 9.9, 75, 3675, -4].map(clock)).toEqual(["0:00", "0:09", "1:15", "1:01:15", "0:00"]);
    expect([12, 61, 5400].map(spent)).toEqual(["12 s", "1 min", "1 h 30 min"]);
  });
  it("writes numbers of Ecuador as people say them, and leaves others alone", () => {
    expect(["+593987654321", "072831900", "1001", null].map(phone)).toEqual(["098 765 4321", "07 283 1900", "1001", ""]);
  });
  it("has no figure for what was not measured", () => {
    expect([percent(null), percent(0.834), percent(0)]).toEqual(["—", "83 %", "0 %"]);
  });
  it("folds accents and takes initials", () => {
    expect(fold("Teléfono Ñandú")).toBe("telefono nandu");
    expect(["Ana Lucía Tapia", "Óscar", ""].map(initials)).toEqual(["AT", "Ó", "?"]);
  });
});

describe("texts", () => {
  const t = texts({ waiting: ["{n} en espera", "{n} waiting"] });
  it("speaks the language of the page and fills in", () => {
    language.value = "es";
    expect(t("waiting", { n: 3 })).toBe("3 en espera");
    language.value = "en";
    expect(t("waiting", { n: 3 })).toBe("3 waiting");
    expect(t("newer" as never)).toBe("newer");
    language.value = "es";
  });
});

describe("problems", () => {
  it("become sentences: by code, else by status, else with the id to tell support", () => {
    expect(sentence(new Problem(429, "access.locked", "", {}, [], "", 120))).toBe("Demasiados intentos. Espere 2 min e intente otra vez.");
    expect(sentence(new Problem(409, "something.new"))).toContain("El estado cambió");
    expect(sentence(new Problem(500, "internal", "", {}, [], "req-7"))).toContain("req-7");
  });
});

describe("keys", () => {
  const run = (): void => undefined;
  const actions: Action[] = [
    { id: "accept", title: "Contestar", key: "a", run },
    { id: "palette", title: "Buscar", key: "ctrl+k", run },
    { id: "answer", title: "Contestar", key: "enter", run },
    { id: "off", title: "Nada", key: "x", run, disabled: true },
    { id: "accept2", title: "Contestar esta", key: "a", run },
  ];
  const where: Where = { typing: false, onControl: false, modal: false, letters: true };
  const at = (combo: string, change: Partial<Where> = {}): string | undefined => actionFor(combo, actions, { ...where, ...change })?.id;
  it("finds the last registered action that is possible", () => {
    expect([at("a"), at("x"), at("ctrl+k"), at("z")]).toEqual(["accept2", undefined, "palette", undefined]);
  });
  it("never takes letters from who is typing, but combinations", () => {
    expect([at("a", { typing: true }), at("ctrl+k", { typing: true })]).toEqual([undefined, "palette"]);
  });
  it("leaves Enter to the control that has the focus", () => {
    expect([at("enter"), at("enter", { onControl: true })]).toEqual(["answer", undefined]);
  });
  it("is silent behind a dialog, and with single keys switched off", () => {
    expect([at("ctrl+k", { modal: true }), at("a", { letters: false }), at("ctrl+k", { letters: false })]).toEqual([undefined, undefined, "palette"]);
  });
  it("names and shows combinations", () => {
    expect(comboOf({ key: "K", ctrlKey: true, metaKey: false, altKey: false })).toBe("ctrl+k");
    expect(["ctrl+k", "enter", "?", "+"].map(shownKey)).toEqual(["Ctrl K", "↵", "?", "+"]);
  });
});

describe("a connection", () => {
  const walk = (...events: LinkEvent[]): [Link, string[]] => {
    let at: Link = "idle";
    const done: string[] = [];
    for (const event of events) {
      const next = step(at, event);
      at = next.to;
      done.push(...next.do);
    }
    return [at, done];
  };
  it("loads the snapshot after each connection", () => {
    expect(walk("start", "opened", "closed", "timer", "opened")).toEqual(["open", ["open", "reload", "schedule", "open", "reload"]]);
  });
  it("waits for the network, and then does not wait for the timer", () => {
    expect(walk("start", "opened", "network_lost", "network_back", "opened")).toEqual(["open", ["open", "reload", "close", "open", "reload"]]);
    expect(walk("start", "closed", "network_back")).toEqual(["connecting", ["open", "schedule", "cancel_timer", "open"]]);
  });
  it("stays ended when it was refused", () => {
    expect(walk("start", "opened", "refused", "closed", "network_back")[0]).toBe("ended");
  });
  it("names a pair it does not know", () => {
    expect(() => step("idle", "opened")).toThrow(UnknownStep);
  });
  it("never leads to a state without a way out, and opens only from where nothing is open", () => {
    for (const steps of Object.values(LINK)) expect(Object.keys(steps)).toContain("stop");
    for (const [from, steps] of Object.entries(LINK)) {
      for (const one of Object.values(steps)) if (one.do.includes("open")) expect(["idle", "waiting", "offline", "ended"]).toContain(from);
    }
  });
  it("waits longer each time, up to a bound, and never all at once", () => {
    expect(delay(1, 1)).toBe(FIRST_MS);
    expect(delay(1, 0)).toBe(FIRST_MS / 2);
    expect(delay(30, 1)).toBe(LONGEST_MS);
  });
});

describe("what a browser says of itself", () => {
  it("is two words that a person knows", () => {
    const windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
    expect(browserOf(`${windows} Chrome/142.0.0.0 Safari/537.36`)).toEqual({ browser: "Chrome", system: "Windows", mobile: false });
    expect(browserOf(`${windows} Chrome/142.0.0.0 Safari/537.36 Edg/142.0`).browser).toBe("Edge");
    expect(browserOf("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")).toEqual({ browser: "Firefox", system: "Linux", mobile: false });
    expect(browserOf("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36")).toEqual({ browser: "Chrome", system: "Android", mobile: true });
    expect(browserOf("curl/8")).toEqual({ browser: null, system: null, mobile: false });
  });
});

describe("the QR code", () => {
  it("is read by a reader as what was put into it", () => {
    const uri = "otpauth://totp/Rimay:rosa?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Rimay&algorithm=SHA1&digits=6&period=30";
    const { size, path } = qrDrawing(uri);
    const dot = 4;
    const width = size * dot;
    const pixels = new Uint8ClampedArray(width * width * 4).fill(255);
    for (const [, x, y, wide] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
      for (let row = Number(y) * dot; row < (Number(y) + 1) * dot; row += 1) {
        for (let at = Number(x) * dot; at < (Number(x) + Number(wide)) * dot; at += 1) pixels.fill(0, (row * width + at) * 4, (row * width + at) * 4 + 3);
      }
    }
    expect(jsQR(pixels, width, width)?.data).toBe(uri);
  });
});
