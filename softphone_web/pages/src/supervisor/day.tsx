// The last hours of a queue: two charts, and behind them the table of the same figures.
import { ChartLine, Table2 } from "lucide-preact";
import { useState } from "preact/hooks";
import { Button } from "../kit/button";
import { Dialog } from "../kit/dialog";
import { clock, timeOfDay } from "../kit/format";
import { EmptyState, ErrorState, Skeleton } from "../kit/states";
import { Table } from "../kit/table";
import { Chart } from "./chart";
import { Define } from "./define";
import { floorPercent, serviceLevelColumns } from "./history";
import type { HistoryPoint, QueueFigures } from "./model";
import { t } from "./texts";
import { HOURS } from "./tiles";

export interface DayProps {
  queue: QueueFigures;
  points: readonly HistoryPoint[] | null;
  error: unknown;
  onRetry: () => void;
  onClose: () => void;
}

export function DayDialog({ queue, points, error, onRetry, onClose }: DayProps) {
  const [asTable, setTable] = useState(false);
  const variants = [queue.service_level.variant];
  return (
    <Dialog
      title={t("chart.title", { queue: queue.title, hours: HOURS })} onClose={onClose} size="wide"
      actions={<Button icon={asTable ? ChartLine : Table2} onClick={() => setTable(!asTable)}>{t(asTable ? "chart.graph" : "chart.table")}</Button>}
    >
      {points === null ? (error ? <ErrorState error={error} onRetry={onRetry} /> : <Skeleton lines={5} />)
        : points.every((one) => one.offered === 0) ? <EmptyState title={t("chart.empty")} />
        : asTable ? <DayTable points={points} variants={variants} /> : <DayCharts points={points} target={queue.service_level.target} variants={variants} />}
    </Dialog>
  );
}

function DayCharts({ points, target, variants }: { points: readonly HistoryPoint[]; target: number; variants: readonly string[] }) {
  const level = serviceLevelColumns(points, target);
  const last = points.findLast((one) => one.service_level !== null)?.service_level ?? null;
  const describe = t("chart.describe", {
    from: timeOfDay(points[0]?.at ?? ""), to: timeOfDay(points.at(-1)?.at ?? ""), last: floorPercent(last), target: floorPercent(target),
  });
  return (
    <>
      <figure class="day-chart">
        <figcaption>{t("chart.level")} <Define figure="service_level" title={t("tile.level")} variants={variants} /><span class="chart-note muted small">- - - {t("chart.target", { target: floorPercent(target) })}</span></figcaption>
        <Chart at={level.at} height={200} axes max={1} value={floorPercent} label={`${t("chart.level")}. ${describe}`}
          series={[{ values: level.target, ink: "--edge", dashed: true }, { values: level.serviceLevel, ink: "--primary" }]} />
      </figure>
      <figure class="day-chart">
        <figcaption>
          <span><i class="swatch offered" aria-hidden="true" />{t("chart.offered")} <Define figure="offered_today" title={t("chart.offered")} /></span> <span><i class="swatch abandoned" aria-hidden="true" />{t("chart.abandoned")} <Define figure="abandoned_today" title={t("chart.abandoned")} /></span>
          <span class="chart-note muted small">{t("chart.volume")}</span>
        </figcaption>
        <Chart at={level.at} height={140} axes label={t("chart.volume")}
          series={[{ values: points.map((one) => one.offered), ink: "--primary", bars: true }, { values: points.map((one) => one.abandoned), ink: "--danger", bars: true }]} />
      </figure>
    </>
  );
}

const define = (figure: string, title: string) => <Define figure={figure} title={title} />;

function DayTable({ points, variants }: { points: readonly HistoryPoint[]; variants: readonly string[] }) {
  return (
    <Table wide
      caption={t("chart.level")} rows={[...points].reverse()} rowKey={(one) => one.at}
      columns={[
        { id: "at", title: t("col.at"), cell: (one) => timeOfDay(one.at) },
        { id: "offered", title: t("col.offered"), about: define("offered_today", t("col.offered")), cell: (one) => one.offered, figure: true },
        { id: "answered", title: t("col.answered"), about: define("answered_today", t("col.answered")), cell: (one) => one.answered, figure: true },
        { id: "abandoned", title: t("col.abandoned"), about: define("abandoned_today", t("col.abandoned")), cell: (one) => one.abandoned, figure: true },
        { id: "level", title: t("col.level"), about: <Define figure="service_level" title={t("col.level")} variants={variants} />, cell: (one) => floorPercent(one.service_level), figure: true },
        { id: "asa", title: t("col.asa"), about: define("asa_s", t("col.asa")), cell: (one) => (one.asa_s === null ? "—" : clock(one.asa_s)), figure: true },
        { id: "max", title: t("col.max"), about: define("waiting_max", t("col.max")), cell: (one) => one.waiting_max, figure: true },
      ]}
    />
  );
}
