import { useMemo } from "preact/hooks";
import { counts, difference } from "./difference";
import { t } from "./texts";

/** A unified view: what went, what came, and three lines around. */
export function DiffView({ before, after, label }: { before: string; after: string; label: string }) {
  const pieces = useMemo(() => difference(before, after), [before, after]);
  if (pieces.length === 0) return <p class="muted">{t("flow.diffNone")}</p>;
  const { added, removed } = counts(pieces);
  return (
    <>
      <p class="row small"><span class="added">+ {t("flow.added", { n: added })}</span><span class="removed">− {t("flow.removed", { n: removed })}</span></p>
      <div class="diff" role="region" tabIndex={0} aria-label={label}>
        <table>
          <tbody>
            {pieces.map((piece, at) =>
              "skipped" in piece ? <tr key={`s${at}`} class="skipped"><td colSpan={4}>{t("flow.skipped", { n: piece.skipped })}</td></tr>
                : piece.lines.map((line) => (
                  <tr key={`${line.before ?? ""} ${line.after ?? ""}`} class={line.sign === "+" ? "added" : line.sign === "-" ? "removed" : ""}>
                    <td class="n">{line.before}</td><td class="n">{line.after}</td><td class="sign">{line.sign}</td><td><code>{line.text || "\u00a0"}</code></td>
                  </tr>
                )),
            )}
          </tbody>
        </table>
      </div>
    </>
  );
}
