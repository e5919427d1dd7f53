// What a figure means, one click away: the definition that the server publishes, with its formula and its source.
import { signal } from "@preact/signals";
import { CircleHelp } from "lucide-preact";
import { useEffect } from "preact/hooks";
import { api } from "../kit/api";
import { Menu } from "../kit/menu";
import "./define.css";
import { t } from "./texts";

interface Definition {
  figure: string;
  title: string;
  definition: string;
  formula: string;
  source: string;
}

/** "standard: a / b; strict: c / d" -> those that count, without their names where there is only one. */
function formulas(text: string, variants: readonly string[] | undefined): string[] {
  const all = text.split("; ").filter((one) => !variants || variants.some((name) => one.startsWith(`${name}: `)));
  return variants?.length === 1 ? all.map((one) => one.replace(/^\w+: /, "")) : all;
}

const definitions = signal<readonly Definition[] | null>(null);
let asked = false;

function load(): void {
  if (asked) return;
  asked = true;
  api.get<{ items: Definition[] }>("/definitions").then(
    (answer) => void (definitions.value = answer.items),
    () => void (asked = false), // asked again with the next one that opens
  );
}

/** `variants`: those of the service level that count here; `note`: what else of it is peculiar to this place. */
export function Define({ figure, title, variants, note = "" }: { figure: string; title: string; variants?: readonly string[]; note?: string }) {
  useEffect(load, []);
  const found = definitions.value?.find((one) => one.figure === figure);
  return (
    <Menu
      label={t("define.open", { title })}
      trigger={(attributes) => (
        <button type="button" class="define" {...attributes} aria-label={t("define.open", { title })} title={t("define.open", { title })} onClick={(event) => { event.stopPropagation(); load(); }}>
          <CircleHelp size={14} aria-hidden="true" />
        </button>
      )}
    >
      <div class="definition">
        <p><strong>{found?.title ?? title}</strong></p>
        {found ? (
          <>
            <p>{found.definition}</p>
            {found.formula && <div><p class="muted">{t("define.formula")}</p>{formulas(found.formula, variants).map((one) => <code key={one}>{one}</code>)}</div>}
            {note && <p>{note}</p>}
            {found.source && <p class="muted small">{t("define.source")}: {found.source}</p>}
          </>
        ) : <p>{t("define.none")}</p>}
      </div>
    </Menu>
  );
}
