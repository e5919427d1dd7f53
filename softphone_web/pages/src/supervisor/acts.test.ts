import { describe, expect, it } from "vitest";
import { can, STAGES, type Act } from "./acts";
import type { Phase } from "./model";
import { t } from "./texts";

const ALL: Act[] = ["listen", "whisper", "barge", "takeOver", "move", "raise", "assign", "end", "hangUp"];
const of = (phase: string): Act[] => ALL.filter((act) => can({ phase: phase as Phase }, act));

describe("what can be done with an interaction", () => {
  // As `TABLE` of `callcontrol/call.py` and `DeskSteering` of `app/web_board.py` take it.
  it.each<[Phase, Act[]]>([
    ["arriving", ["end"]],
    ["flow", ["end"]],
    ["scheduled", ["end"]],
    ["queued", ["move", "raise", "assign", "end"]],
    ["connecting", ["end"]],
    ["dialing", ["end", "hangUp"]],
    ["talking", ["listen", "whisper", "barge", "takeOver", "end", "hangUp"]],
    ["consult", ["listen", "whisper", "barge", "end", "hangUp"]],
    ["conference", ["listen", "whisper", "barge", "end", "hangUp"]],
    ["transfer", ["end", "hangUp"]],
    ["wrap_up", []],
    ["ending", []],
    ["closed", []],
  ])("%s", (phase, acts) => {
    expect(of(phase)).toEqual(acts);
  });
  it("is nothing in a phase that only a newer server knows", () => {
    expect(of("of_tomorrow")).toEqual([]);
    expect(of("constructor")).toEqual([]);
  });
  it("is looked for by every phase that lasts, in words", () => {
    expect(STAGES).toEqual(["flow", "scheduled", "queued", "connecting", "dialing", "talking", "consult", "conference", "transfer", "wrap_up"]);
    for (const phase of STAGES) expect(t.found(`phase.${phase}`)).not.toBeNull();
  });
});
