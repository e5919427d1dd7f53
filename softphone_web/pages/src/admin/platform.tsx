// To look at only: trunks, health, settings in force.
import { RotateCw } from "lucide-preact";
import { useEffect } from "preact/hooks";
import { Badge, type Tone } from "../kit/badge";
import { Button } from "../kit/button";
import { number, timeExact } from "../kit/format";
import { listen } from "../kit/live";
import { Banner, EmptyState, ErrorState, Skeleton } from "../kit/states";
import { Table } from "../kit/table";
import { useLoad } from "../kit/use";
import { Head, ListPage } from "./list";
import { t, word } from "./texts";
import { items } from "./users";

interface Gateway { name: string; state: string; detail: string; round_trip_ms: number | null }
interface Trunk { name: string; state: string; gateways: Gateway[]; calls: number | null; max_calls: number | null }
const TRUNK_TONE: Record<string, Tone> = { up: "good", down: "bad", degraded: "warn", unknown: "idle" };

/** What the switch says of a gateway is its own word; what every switch says often, in the reader's. */
const gatewaySaid = (detail: string) => {
  if (!detail) return "—";
  const known = t.found(`gateway.${detail.toLowerCase()}`);
  return known === null ? <code>{detail}</code> : <span title={detail}>{known}</span>;
};

export function Trunks() {
  const trunks = useLoad(items<Trunk>("/trunks"), []);
  const { reload } = trunks;
  useEffect(() => listen({ topics: ["trunks"], reload, event: reload }), [reload]);
  return (
    <section class="admin-page">
      <Head title={t("nav.trunks")}><Button icon={RotateCw} label={t("reload")} onClick={reload} /></Head>
      {trunks.data === null ? (trunks.error ? <ErrorState error={trunks.error} onRetry={reload} /> : <Skeleton lines={4} />)
        : trunks.data.length === 0 ? <EmptyState title={t("trunk.none")} />
        : trunks.data.map((trunk) => (
          <article class="card" key={trunk.name}>
            <header class="spread">
              <h2>{trunk.name}</h2>
              <span class="row">
                {trunk.calls !== null && <span class="muted">{t("trunk.calls")}: {trunk.max_calls === null ? trunk.calls : t("trunk.of", { n: trunk.calls, max: trunk.max_calls })}</span>}
                <Badge tone={TRUNK_TONE[trunk.state] ?? "idle"}>{word("trunk.state", trunk.state)}</Badge>
              </span>
            </header>
            <Table
              caption={trunk.name} rows={trunk.gateways} rowKey={(one) => one.name}
              columns={[
                { id: "name", title: t("trunk.gateway"), cell: (one) => <code>{one.name}</code> },
                { id: "state", title: t("user.state"), cell: (one) => <Badge quiet tone={TRUNK_TONE[one.state] ?? "idle"}>{word("trunk.state", one.state)}</Badge> },
                { id: "detail", title: t("trunk.detail"), cell: (one) => gatewaySaid(one.detail) },
                { id: "rtt", title: t("trunk.rtt"), figure: true, cell: (one) => (one.round_trip_ms === null ? "—" : `${Math.round(one.round_trip_ms)} ms`) },
              ]}
            />
          </article>
        ))}
    </section>
  );
}

type Facts = Record<string, string | number>;
interface HealthCheck { name: string; state: "ok" | "failed"; critical: boolean; ms: number; detail: string | null; code: string | null; facts: Facts | null }

/** What a check says, by its code; of a code that is newer than this page, its word. */
function said(check: HealthCheck) {
  if (check.code === null) return "—";
  const facts = Object.fromEntries(Object.entries(check.facts ?? {}).map(([name, value]) => [name, typeof value === "number" ? number(value) : value]));
  return t.found(`said.${check.code}`, facts) ?? <span title={check.detail ?? ""}>{t("said.other")} <code>{check.code}</code></span>;
}
interface Ready { ready: boolean; measured_at: string; checks: HealthCheck[] }

/** Outside of /api/v1, and answered with 503 while it is not ready: the answer is what counts. */
const loadHealth = async (signal: AbortSignal): Promise<Ready> =>
  (await fetch("/health/ready", { signal, headers: { Accept: "application/json" }, cache: "no-store", credentials: "same-origin" })).json() as Promise<Ready>;

export function Health() {
  const health = useLoad(loadHealth, []);
  const { reload } = health;
  useEffect(() => {
    const timer = window.setInterval(reload, 15_000);
    return () => window.clearInterval(timer);
  }, [reload]);
  const { data } = health;
  return (
    <section class="admin-page">
      <Head title={t("nav.health")} note={data ? t("measured", { at: timeExact(data.measured_at) }) : undefined}><Button icon={RotateCw} label={t("reload")} onClick={reload} /></Head>
      {!data ? (health.error ? <ErrorState error={health.error} onRetry={reload} /> : <Skeleton lines={5} />) : (
        <>
          <Banner tone={data.ready ? "info" : "bad"}>{t(data.ready ? "health.ready" : "health.notReady")}</Banner>
          <Table
            caption={t("nav.health")} rows={data.checks} rowKey={(one) => one.name}
            columns={[
              { id: "name", title: t("health.check"), cell: (one) => <strong>{word("health.name", one.name)}</strong> },
              { id: "state", title: t("user.state"), cell: (one) => <Badge tone={one.state === "ok" ? "good" : one.critical ? "bad" : "warn"}>{t(`health.${one.state}`)}</Badge> },
              { id: "detail", title: t("trunk.detail"), cell: said },
              { id: "critical", title: t("health.critical"), cell: (one) => t(one.critical ? "yes" : "no") },
              { id: "ms", title: t("health.ms"), figure: true, cell: (one) => `${number(Math.round(one.ms))} ms` },
            ]}
          />
        </>
      )}
    </section>
  );
}

interface Setting { key: string; value: unknown; source: string }

export function Settings() {
  const settings = useLoad(items<Setting>("/settings"), []);
  const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return (
    <ListPage
      title={t("nav.settings")} note={t("set.hint")} loaded={settings} rowKey={(one) => one.key} words={(one) => `${one.key} ${shown(one.value)}`}
      columns={[
        { id: "key", title: t("set.key"), cell: (one) => <code>{one.key}</code> },
        { id: "value", title: t("set.value"), cell: (one) => <span class="settings-value"><code>{shown(one.value)}</code></span> },
        { id: "source", title: t("set.source"), cell: (one) => <span class="muted">{word("set.source", one.source)}</span> },
      ]}
    />
  );
}

