// The row of queues: how many wait, for how long, and the service level of the last hours with its target.
import { ChartLine } from "lucide-preact";
import { useState } from "preact/hooks";
import { api, idPart } from "../kit/api";
import { Mark, type Tone } from "../kit/badge";
import { Button } from "../kit/button";
import { clock } from "../kit/format";
import { now } from "../kit/timer";
import { useLoad } from "../kit/use";
import { Chart } from "./chart";
import { Define } from "./define";
import { DayDialog } from "./day";
import { floorPercent, isFlat, longestNow, serviceLevelColumns } from "./history";
import type { HistoryPoint, QueueFigures } from "./model";
import { t } from "./texts";

export const HOURS = 8;
const EACH_MS = 300_000;

export const loadHistory = (queue: string, signal?: AbortSignal): Promise<{ points: HistoryPoint[] }> =>
  api.get(`/queues/${idPart(queue)}/history?hours=${HOURS}`, signal);

/** Red only where somebody must act now: a wait beyond the threshold; the level of the day warns. */
function toneOf(queue: QueueFigures, longest: number | null): Tone {
  const { today, target, threshold_s } = queue.service_level;
  if (queue.waiting > 0 && longest !== null && longest > threshold_s) return "bad";
  if (today !== null && today < target) return "warn";
  return queue.waiting > 0 ? "busy" : "good";
}

export function Tiles({ queues, chosen, choose }: { queues: readonly QueueFigures[]; chosen: string; choose: (queue: string) => void }) {
  if (queues.length === 0) return <p class="tiles-empty muted">{t("empty.queues")}</p>;
  return (
    <section class="tiles" aria-label={t("queues")} tabIndex={-1}>
      {queues.map((one) => (
        <Tile key={one.name} queue={one} chosen={chosen === one.name} choose={() => choose(chosen === one.name ? "" : one.name)} />
      ))}
    </section>
  );
}

function Tile({ queue, chosen, choose }: { queue: QueueFigures; chosen: boolean; choose: () => void }) {
  const [open, setOpen] = useState(false);
  const turn = Math.floor(now.value / EACH_MS);
  const history = useLoad((signal) => loadHistory(queue.name, signal), [queue.name, turn]);
  const longest = longestNow(queue, now.value);
  const tone = toneOf(queue, longest);
  const { today, target, threshold_s } = queue.service_level;
  return (
    <article class={`tile ${tone}${chosen ? " chosen" : ""}`}>
      <header>
        <button type="button" class="tile-title" aria-pressed={chosen} title={t(chosen ? "tile.filtered" : "tile.filter", { queue: queue.title })} onClick={choose}>
          <Mark tone={tone} />
          <span>{queue.title}</span>
        </button>
        <Button kind="quiet" size="small" icon={ChartLine} label={t("tile.chart", { queue: queue.title })} onClick={() => setOpen(true)} />
      </header>
      <div class="tile-figures">
        <p class="tile-big"><strong>{queue.waiting}</strong> <span>{t("tile.waiting")} <Define figure="waiting" title={t("tile.waiting")} /></span></p>
        <p class="tile-side">
          <span class="tile-longest">{longest === null ? "—" : clock(longest)}</span>
          <span class="muted">{t("tile.longest")} <Define figure="longest_wait_s" title={t("tile.longest")} /></span>
        </p>
      </div>
      <Spark points={history.data?.points ?? []} target={target} title={queue.title} />
      <footer>
        <span class={today !== null && today < target ? "tile-level low" : "tile-level"}>{floorPercent(today)}</span>
        <span class="muted small">{t("tile.target", { target: floorPercent(target), seconds: threshold_s })}</span>
        <Define figure="service_level" title={t("tile.level")} variants={[queue.service_level.variant]} note={t("tile.threshold", { seconds: threshold_s })} />
        <span class="tile-free small muted">{t("tile.free", { n: queue.agents.ready ?? 0 })} <Define figure="agents" title={t("wall.free")} /></span>
      </footer>
      {open && <DayDialog queue={queue} points={history.data?.points ?? null} error={history.error} onRetry={history.reload} onClose={() => setOpen(false)} />}
    </article>
  );
}

function Spark({ points, target, title }: { points: readonly HistoryPoint[]; target: number; title: string }) {
  if (isFlat(points)) return <p class="spark-empty small muted">{t("tile.noHistory")}</p>;
  const { at, serviceLevel, target: line } = serviceLevelColumns(points, target);
  return (
    <Chart
      at={at} height={40} max={1.04} min={Math.max(0, Math.min(target, ...serviceLevel.map((one) => one ?? 1)) - 0.1)} label={`${title}: ${t("chart.level")}. ${t("chart.target", { target: floorPercent(target) })}`}
      series={[{ values: line, ink: "--edge", dashed: true }, { values: serviceLevel, ink: "--primary" }]}
    />
  );
}
