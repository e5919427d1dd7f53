// The wallboard: six figures for people five metres away. Dark unless somebody chooses otherwise here; no rail, no account.
import { Expand, LogOut, Pause, Play, SunMoon } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { useActions } from "../kit/actions";
import { Button } from "../kit/button";
import { clock, percent, timeExact } from "../kit/format";
import { liveState } from "../kit/live";
import { loadSession, sessionState } from "../kit/session";
import { ErrorState, Skeleton } from "../kit/states";
import { setTheme, theme } from "../kit/theme";
import { now } from "../kit/timer";
import { Toasts } from "../kit/toast";
import { Define } from "../supervisor/define";
import { floorPercent, longestNow } from "../supervisor/history";
import type { Board } from "../supervisor/model";
import { board, boardError, lastHeard, reloadBoard, useBoard } from "../supervisor/store";
import { t } from "../supervisor/texts";
import { isStale, nextPage, wallOf } from "./figures";

const TURN_MS = 10_000;

export function WallPage() {
  useEffect(() => {
    void loadSession().then(() => { if (theme.value !== "light") setTheme("dark"); });
  }, []);
  useEffect(() => { if (sessionState.value === "out") location.replace("/?next=/pared"); }, [sessionState.value]);
  useEffect(() => { document.title = `${t("wall.all")} · Rimay`; }, []);
  return sessionState.value === "in" ? <Wall /> : <main class="page-loading"><Skeleton lines={4} /></main>;
}

function Wall() {
  useBoard();
  return (
    <main class="wall">
      {board.value ? <Figures board={board.value} /> : boardError.value ? <ErrorState error={boardError.value} onRetry={reloadBoard} /> : <Skeleton lines={6} height={80} />}
      <Toasts />
    </main>
  );
}

/** -1 is all queues together. */
function usePages(queues: Board["queues"]): { page: number; turns: boolean; setTurns: (on: boolean) => void; go: (page: number) => void } {
  const [page, setPage] = useState(-1);
  const [turns, setTurns] = useState(true);
  useEffect(() => {
    if (!turns) return;
    const timer = window.setInterval(() => setPage((at) => nextPage(queues, at)), TURN_MS);
    return () => window.clearInterval(timer);
  }, [turns, queues.length]);
  return { page: page < queues.length ? page : -1, turns, setTurns, go: (to) => setPage(Math.max(-1, Math.min(queues.length - 1, to))) };
}

function Figures({ board: { queues: measured, agents } }: { board: Board }) {
  const stale = isStale(lastHeard.value / 1000, now.value / 1000, liveState.value === "open");
  const queues = stale ? measured : measured.map((one) => ({ ...one, longest_wait_s: longestNow(one, now.value) }));
  const { page, turns, setTurns, go } = usePages(queues);
  useActions([
    { id: "turn", title: t(turns ? "wall.pause" : "wall.play"), key: " ", run: () => setTurns(!turns) },
    { id: "next", title: "→", key: "arrowright", run: () => go(page + 1), hidden: true },
    { id: "previous", title: "←", key: "arrowleft", run: () => go(page - 1), hidden: true },
  ]);
  const wall = wallOf(queues, agents, page);
  const variants = [...new Set((page < 0 ? queues : queues.slice(page, page + 1)).map((one) => one.service_level.variant))];
  const title = page < 0 ? t("wall.all") : (queues[page]?.title ?? "");
  const threshold = page < 0 ? 0 : (queues[page]?.service_level.threshold_s ?? 0);
  const late = wall.longestWaitS !== null && wall.longestWaitS > (threshold || Math.min(...queues.map((one) => one.service_level.threshold_s)));
  const low = wall.serviceLevel !== null && wall.target !== null && wall.serviceLevel < wall.target;
  return (
    <>
      <header class="wall-head">
        <h1>{title}</h1>
        <time class="wall-clock">{timeExact(new Date(now.value))}</time>
      </header>
      <div class={stale ? "wall-grid stale" : "wall-grid"}>
        <Figure name={t("wall.waiting")} about="waiting" value={String(wall.waiting)} tone={wall.waiting > 0 && wall.free === 0 ? "bad" : ""} />
        <Figure name={t("wall.longest")} about="longest_wait_s" value={wall.longestWaitS === null ? "—" : clock(wall.longestWaitS)} tone={late ? "bad" : ""} note={wall.asaS === null ? "" : t("wall.asa", { asa: clock(wall.asaS) })} />
        <Figure name={t("wall.level")} about="service_level" variants={variants} value={floorPercent(wall.serviceLevel)} tone={low ? "warn" : ""} note={wall.target === null ? t("wall.today") : `${t("wall.today")} · ${t("wall.target", { target: percent(wall.target) })}`} />
        <Figure name={t("wall.free")} about="agents" value={String(wall.free)} tone={wall.free === 0 && wall.waiting > 0 ? "bad" : ""} />
        <Figure name={t("wall.busy")} about="agents" value={String(wall.onContact)} />
        <Figure name={t("wall.abandoned")} about="abandoned_rate" value={wall.abandonedRate === null ? "—" : `${(wall.abandonedRate * 100).toFixed(1).replace(".", ",")} %`} note={t("wall.today")} />
      </div>
      <footer class="wall-foot">
        <p class={stale ? "wall-state stale" : "wall-state"} role="status">
          <i class={`mark ${stale ? "bad" : "good"}`} aria-hidden="true" />
          {stale ? t("wall.stale", { at: timeExact(new Date(lastHeard.value)) }) : t("wall.live")}
        </p>
        <ol class="wall-pages" aria-label={t("wall.page", { n: page + 2, of: queues.length + 1 })}>
          {[-1, ...queues.keys()].map((one) => <li key={one} class={one === page ? "now" : ""} />)}
        </ol>
        <div class="wall-tools">
          <Button kind="quiet" icon={turns ? Pause : Play} label={t(turns ? "wall.pause" : "wall.play")} onClick={() => setTurns(!turns)} />
          <Button kind="quiet" icon={SunMoon} label={t("wall.light")} onClick={() => setTheme(theme.value === "dark" ? "light" : "dark")} />
          <Button kind="quiet" icon={Expand} label={t("wall.full")} onClick={() => void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen())} />
          <Button kind="quiet" icon={LogOut} label={t("wall.exit")} onClick={() => location.assign("/supervisor")} />
        </div>
      </footer>
    </>
  );
}

function Figure({ name, about, variants, value, note = "", tone = "" }: { name: string; about: string; variants?: readonly string[]; value: string; note?: string; tone?: "" | "warn" | "bad" }) {
  return (
    <section class={`wall-figure ${tone}`}>
      <header><h2>{name}</h2><Define figure={about} title={name} {...(variants && { variants })} /></header>
      <p class={`wall-value${value.length > 4 ? " long" : ""}`}>{value}</p>
      <p class="wall-note">{note || "\u00a0"}</p>
    </section>
  );
}
