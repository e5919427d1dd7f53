// The administration: its parts at the left, by permission; the part at the right.
import { useEffect } from "preact/hooks";
import type { ComponentChild } from "preact";
import { useActions } from "../kit/actions";
import { follow, navigate, path } from "../kit/router";
import { may } from "../kit/session";
import { EmptyState } from "../kit/states";
import { Audit } from "./audit";
import { FlowPage } from "./flow";
import { Flows } from "./flows";
import { OrganisationPage } from "./organisation";
import { OrganisationText } from "./orgtext";
import { Health, Settings, Trunks } from "./platform";
import { Roles } from "./roles";
import { SECTIONS } from "./sections";
import { t } from "./texts";
import { Users } from "./users";

type Key = keyof typeof t.dictionary;
interface Part { id: string; title: Key; needs: readonly string[]; show: () => ComponentChild }
interface Group { title: Key; parts: readonly Part[] }

const ORGANISATION = ["organisation.read"];
const GROUPS: readonly Group[] = [
  {
    title: "nav.people",
    parts: [
      { id: "usuarios", title: "nav.users", needs: ["users.read"], show: () => <Users /> },
      { id: "roles", title: "nav.roles", needs: ["users.read"], show: () => <Roles /> },
    ],
  },
  {
    title: "nav.organisation",
    parts: [
      ...SECTIONS.map((section): Part => ({ id: section.id, title: section.title, needs: ORGANISATION, show: () => <OrganisationPage key={section.id} section={section} /> })),
      { id: "texto", title: "nav.yaml", needs: ORGANISATION, show: () => <OrganisationText /> },
    ],
  },
  {
    title: "nav.platform",
    parts: [
      { id: "flujos", title: "nav.flows", needs: ["flows.read"], show: () => <Flows /> },
      { id: "troncales", title: "nav.trunks", needs: ["trunks.read"], show: () => <Trunks /> },
      { id: "estado", title: "nav.health", needs: ["metrics.read", "settings.read"], show: () => <Health /> },
      { id: "ajustes", title: "nav.settings", needs: ["settings.read"], show: () => <Settings /> },
      { id: "auditoria", title: "nav.audit", needs: ["audit.read"], show: () => <Audit /> },
    ],
  },
];

export function Admin() {
  const [, , id = "", inner] = path.value.split("/");
  const parts = GROUPS.flatMap((group) => group.parts).filter((part) => may(...part.needs));
  const part = parts.find((one) => one.id === id);
  const first = parts[0];
  useEffect(() => { if (!id && first) navigate(`/admin/${first.id}`, true); }, [id, first?.id]);
  useActions(parts.map((one) => ({ id: `admin-${one.id}`, title: t(one.title), group: t("title"), run: () => navigate(`/admin/${one.id}`) })));
  return (
    <div class="admin">
      <nav class="admin-nav" aria-label={t("title")} onClick={follow}>
        {GROUPS.map((group) => {
          const shown = group.parts.filter((one) => may(...one.needs));
          if (shown.length === 0) return null;
          return (
            <section key={group.title}>
              <h2>{t(group.title)}</h2>
              <ul>{shown.map((one) => <li key={one.id}><a href={`/admin/${one.id}`} aria-current={one.id === id ? "page" : undefined}>{t(one.title)}</a></li>)}</ul>
            </section>
          );
        })}
      </nav>
      <div class="admin-main">
        {!part ? <EmptyState title={t("empty")} /> : part.id === "flujos" && inner ? <FlowPage key={inner} name={decodeURIComponent(inner)} isNew={location.search === "?nuevo"} /> : part.show()}
      </div>
    </div>
  );
}
