// The life of the open audio leg as a table: no microphone, no socket, no clock of its own. `phone.ts` does what it says.
//
// A leg is never mended: whatever breaks, it is taken down whole and set up again with what is still valid. The platform
// holds the citizen with music meanwhile and joins both again.

export type PhoneState =
  | "off"
  | "asking" // the browser asks for the microphone
  | "denied"
  | "minting" // fetching credentials, or taking those that are still good
  | "connecting" // socket and registration
  | "calling" // the leg is being set up
  | "up"
  | "waiting" // before the next try
  | "offline" // the machine has no network
  | "elsewhere"; // another tab has the phone

export type PhoneEvent =
  | "start"
  | "mic_ok"
  | "mic_denied"
  | "minted"
  | "registered"
  | "leg_up"
  | "lost"
  | "refused"
  | "taken"
  | "timer"
  | "network_lost"
  | "network_back"
  | "take"
  | "stop";

export type PhoneCommand = "ask_mic" | "mint" | "connect" | "call" | "teardown" | "forget" | "schedule" | "cancel_timer" | "claim" | "release";

interface Step {
  to: PhoneState;
  do: readonly PhoneCommand[];
}

const go = (to: PhoneState, ...commands: PhoneCommand[]): Step => ({ to, do: commands });

// Events of a leg that is gone already (its socket closes after we took it down) change nothing.
const LATE = (to: PhoneState): Partial<Record<PhoneEvent, Step>> => ({ lost: go(to), refused: go(to), registered: go(to), leg_up: go(to), minted: go(to) });
const BREAKS: Partial<Record<PhoneEvent, Step>> = {
  lost: go("waiting", "teardown", "schedule"),
  refused: go("waiting", "teardown", "forget", "schedule"),
  taken: go("elsewhere", "teardown", "forget"),
  network_lost: go("offline", "teardown"),
  stop: go("off", "teardown", "release"),
};

export const PHONE: Record<PhoneState, Partial<Record<PhoneEvent, Step>>> = {
  off: { ...LATE("off"), start: go("asking", "claim", "ask_mic"), stop: go("off"), taken: go("off"), timer: go("off"), network_lost: go("off"), network_back: go("off"), mic_ok: go("off"), mic_denied: go("off"), take: go("asking", "claim", "ask_mic") },
  asking: { mic_ok: go("minting", "mint"), mic_denied: go("denied"), taken: go("elsewhere"), stop: go("off"), start: go("asking"), network_lost: go("asking"), network_back: go("asking"), ...LATE("asking"), timer: go("asking") },
  denied: { ...LATE("denied"), start: go("asking", "ask_mic"), stop: go("off"), taken: go("elsewhere"), mic_ok: go("minting", "mint"), timer: go("denied"), network_lost: go("denied"), network_back: go("denied") },
  minting: { ...BREAKS, minted: go("connecting", "connect"), network_back: go("minting"), mic_denied: go("denied", "teardown"), start: go("minting"), timer: go("minting") },
  // What never registered may be credentials that a restarted platform does not know: its socket only says "no".
  connecting: { ...BREAKS, lost: go("waiting", "teardown", "forget", "schedule"), registered: go("calling", "call"), network_back: go("connecting"), minted: go("connecting"), mic_denied: go("denied", "teardown"), start: go("connecting"), timer: go("connecting") },
  calling: { ...BREAKS, leg_up: go("up"), registered: go("calling"), network_back: go("calling"), mic_denied: go("denied", "teardown"), start: go("calling"), timer: go("calling") },
  up: { ...BREAKS, leg_up: go("up"), registered: go("up"), network_back: go("up"), mic_denied: go("denied", "teardown"), start: go("up"), timer: go("up") },
  waiting: {
    ...LATE("waiting"),
    timer: go("minting", "mint"),
    start: go("minting", "cancel_timer", "mint"),
    network_back: go("minting", "cancel_timer", "mint"),
    network_lost: go("offline", "cancel_timer"),
    taken: go("elsewhere", "cancel_timer", "forget"),
    mic_denied: go("denied", "cancel_timer"),
    stop: go("off", "cancel_timer", "release"),
  },
  offline: { ...LATE("offline"), network_back: go("minting", "mint"), network_lost: go("offline"), timer: go("offline"), start: go("minting", "mint"), taken: go("elsewhere", "forget"), mic_denied: go("denied"), stop: go("off", "release") },
  elsewhere: { ...LATE("elsewhere"), take: go("asking", "claim", "ask_mic"), start: go("elsewhere"), taken: go("elsewhere"), timer: go("elsewhere"), network_lost: go("elsewhere"), network_back: go("elsewhere"), mic_denied: go("elsewhere"), mic_ok: go("elsewhere"), stop: go("off") },
};

export class UnknownPhoneStep extends Error {}

export function phoneStep(at: PhoneState, event: PhoneEvent): Step {
  const found = PHONE[at][event];
  if (!found) throw new UnknownPhoneStep(`a phone that is ${at} knows no ${event}`);
  return found;
}
