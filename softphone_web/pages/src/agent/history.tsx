import { api, idPart } from "../kit/api";
import { timeExact } from "../kit/format";
import { ErrorState, Skeleton } from "../kit/states";
import type { InteractionEvent } from "../kit/types";
import { useLoad } from "../kit/use";
import { agentName, queueName } from "./names";
import { t } from "./texts";
import { linesOf } from "./timeline";

/** `version`: whatever changes when something has happened, so that it is loaded anew. */
export function Timeline({ interaction, version }: { interaction: string; version: string }) {
  const events = useLoad((abort) => api.get<{ items: InteractionEvent[] }>(`/interactions/${idPart(interaction)}/events`, abort), [interaction, version]);
  const lines = linesOf(events.data?.items ?? [], { agent: agentName, queue: queueName });
  return (
    <section class="timeline" aria-labelledby="timeline-title">
      <h2 id="timeline-title">{t("timeline.title")}</h2>
      {events.data === null && events.error === null && <Skeleton />}
      {events.data === null && events.error !== null && <ErrorState error={events.error} onRetry={events.reload} />}
      {events.data !== null && lines.length === 0 && <p class="muted">{t("timeline.none")}</p>}
      <ol>
        {lines.map((line) => (
          <li key={line.n}>
            <time class="muted small">{timeExact(line.at)}</time>
            <span>{line.text}{line.detail && <span class="muted"> · {line.detail}</span>}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
