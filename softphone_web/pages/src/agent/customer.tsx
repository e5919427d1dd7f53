// Who is on the line: identity, services, cases, outages, last contacts, notes.
import { IdCard, Phone, TriangleAlert, UserRound } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { api, idPart } from "../kit/api";
import { Badge, type Tone } from "../kit/badge";
import { Button } from "../kit/button";
import { clock, day, phone, timeOfDay, when } from "../kit/format";
import { Problem } from "../kit/problem";
import { Banner, EmptyState, ErrorState, Skeleton } from "../kit/states";
import { t as kit } from "../kit/texts";
import type { CustomerCard } from "../kit/types";
import { may } from "../kit/session";
import { useLoad } from "../kit/use";
import { dialing } from "./dialer";
import { desk } from "./desk";
import { agentName, queueName, reasonOf } from "./names";
import { NoteList } from "./notes";
import { t } from "./texts";

const WRITTEN_MS = 600;

/** A call is offered before its record is written; then it is asked for once more. */
async function load(interaction: string, abort: AbortSignal): Promise<CustomerCard> {
  const path = `/interactions/${idPart(interaction)}/customer`;
  try {
    return await api.get<CustomerCard>(path, abort);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    await new Promise((done) => window.setTimeout(done, WRITTEN_MS));
    return api.get<CustomerCard>(path, abort);
  }
}

export function CustomerTab({ interaction }: { interaction: string | null }) {
  const card = useLoad<CustomerCard | null>(
    (abort) => (interaction ? load(interaction, abort) : Promise.resolve(null)),
    [interaction],
  );
  if (!interaction) return <EmptyState icon={UserRound} title={t("customer.none")}><p>{t("customer.noneText")}</p></EmptyState>;
  if (card.error !== null && card.data === null) return <ErrorState error={card.error} onRetry={card.reload} />;
  if (card.data === null) return <Skeleton lines={8} />;
  return <Card card={card.data} />;
}

function Card({ card }: { card: CustomerCard }) {
  const { identity } = card;
  return (
    <div class="customer">
      {card.sources.filter((one) => !one.ok).map((one) => (
        <Banner key={one.name} tone="warn" icon={TriangleAlert}>{t("customer.source", { name: one.name, detail: one.detail })}</Banner>
      ))}
      <section class="customer-who">
        <h2>{identity.name || t("customer.unknown")}</h2>
        <p class={identity.how_sure === "unknown" || identity.how_sure === "phone" ? "customer-sure ask" : "customer-sure"}>
          <IdCard size={16} aria-hidden="true" />{t(`customer.sure.${identity.how_sure}`)}
        </p>
        {(identity.critical || identity.accessibility) && (
          <div class="row">
            {identity.critical && <Badge tone="warn">{t("customer.critical")}</Badge>}
            {identity.accessibility && <Badge tone="busy">{t("customer.accessibility")}</Badge>}
          </div>
        )}
        <dl class="facts">
          {identity.document && <div><dt>{t("customer.document")}</dt><dd>{identity.document}</dd></div>}
          {identity.phones.length > 0 && <div><dt>{t("customer.phones")}</dt><dd class="row">{identity.phones.map((one) => <PhoneNumber key={one} number={one} customer={identity.document} />)}</dd></div>}
          {identity.sector && <div><dt>{t("customer.sector")}</dt><dd>{identity.sector}</dd></div>}
          {identity.emails.length > 0 && <div><dt>{t("customer.emails")}</dt><dd>{identity.emails.join(", ")}</dd></div>}
        </dl>
      </section>
      {card.outages.length > 0 && (
        <Part title={t("customer.outages")}>
          {card.outages.map((one, at) => (
            <Banner key={at} tone="bad" icon={TriangleAlert}>
              <strong>{one.service}</strong> {[one.sector, one.reason, one.until && t("customer.until", { at: one.until })].filter(Boolean).join(" · ")}
            </Banner>
          ))}
        </Part>
      )}
      <Part title={t("customer.contracts")} empty={t("customer.noContracts")}>
        {card.contracts.map((one) => <Contract key={one.number} contract={one} />)}
      </Part>
      <Part title={t("customer.cases")} empty={t("customer.noCases")}>
        {card.cases.map((one) => (
          <div key={one.id} class="line">
            <span><strong>{one.title}</strong><span class="muted small">{one.id} · {t("customer.since", { at: day(one.opened_at) })}</span></span>
            <Badge tone="warn" quiet>{one.status}</Badge>
          </div>
        ))}
      </Part>
      <Part title={t("customer.last")} empty={t("customer.noLast")}>
        {card.interactions.map((one) => (
          <div key={one.id} class="line">
            <span><strong>{reasonOf(one.reason) || queueName(one.queue) || one.medium}</strong><span class="muted small">{[when(one.at), agentName(one.agent), one.disposition].filter(Boolean).join(" · ")}</span></span>
            <span class="muted">{one.seconds === null ? "" : clock(one.seconds)}</span>
          </div>
        ))}
      </Part>
      {card.notes.length > 0 && <Part title={t("customer.notes")}><NoteList notes={card.notes} /></Part>}
      <p class="muted small measured">{kit("measured", { at: timeOfDay(card.measured_at) })}</p>
    </div>
  );
}

function Part({ title, empty, children }: { title: string; empty?: string; children: ComponentChildren }) {
  const none = Array.isArray(children) && children.length === 0;
  return (
    <section class="part">
      <h3>{title}</h3>
      {none ? <p class="muted">{empty}</p> : children}
    </section>
  );
}

function Contract({ contract }: { contract: CustomerCard["contracts"][number] }) {
  const { debt } = contract;
  const tone: Tone = debt > 0 ? "bad" : "good";
  return (
    <div class="line">
      <span><strong>{contract.service}</strong><span class="muted small">{[contract.number, contract.address, contract.status, debt > 0 && contract.due ? t("customer.due", { at: day(contract.due) }) : ""].filter(Boolean).join(" · ")}</span></span>
      <Badge tone={tone} quiet>{debt > 0 ? t("customer.debt", { amount: `$${debt.toFixed(2)}` }) : t("customer.noDebt")}</Badge>
    </div>
  );
}

function PhoneNumber({ number, customer }: { number: string; customer: string }) {
  const busy = (desk.value?.items.length ?? 0) > 0;
  if (!may("calls.place") || busy) return <span>{phone(number)}</span>;
  return <Button kind="quiet" size="small" icon={Phone} attributes={{ "aria-label": t("customer.call", { number: phone(number) }) }} onClick={() => void (dialing.value = customer ? { number, customer } : { number })}>{phone(number)}</Button>;
}
