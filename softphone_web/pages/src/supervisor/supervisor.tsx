// The supervisor's page: tiles, alerts, filters, two lists, a drawer.
import { MessageSquare } from "lucide-preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useActions } from "../kit/actions";
import { Button } from "../kit/button";
import { timeExact } from "../kit/format";
import { navigate, path, search } from "../kit/router";
import { may } from "../kit/session";
import { ErrorState, Skeleton } from "../kit/states";
import { can, type Act } from "./acts";
import { Alerts } from "./alerts";
import { AgentDrawer } from "./agent";
import { FilterBar } from "./filterbar";
import { filtersOf, NO_FILTERS, queryOf, type Filters } from "./filters";
import { ItemDrawer } from "./item";
import { Agents, Items, type Chosen } from "./lists";
import { MessageDialog } from "./messages";
import type { Alert, Board, BoardItem } from "./model";
import { board as live, boardError, queueTitle, reloadBoard, useBoard } from "./store";
import { forgetUnless, supervise } from "./supervise";
import { t } from "./texts";
import { Tiles } from "./tiles";

/** The drawer has an address of its own: /supervisor/interaccion/ID, /supervisor/agente/ID. */
function chosenOf(address: string): Chosen | null {
  const found = /^\/supervisor\/(interaccion|agente)\/([^/]+)$/.exec(address);
  return found ? { kind: found[1] === "agente" ? "agent" : "item", id: decodeURIComponent(found[2] ?? "") } : null;
}
const addressOf = (chosen: Chosen | null): string =>
  chosen ? `/supervisor/${chosen.kind === "agent" ? "agente" : "interaccion"}/${encodeURIComponent(chosen.id)}` : "/supervisor";
const choose = (chosen: Chosen | null): void => navigate(addressOf(chosen) + location.search);

export function Supervisor() {
  useBoard();
  const board = live.value;
  return (
    <>
      <h1 class="visually-hidden">{t("title")}</h1>
      {board ? <Live board={board} /> : boardError.value ? <ErrorState error={boardError.value} onRetry={reloadBoard} /> : <Skeleton lines={8} height={28} />}
    </>
  );
}

function Live({ board }: { board: Board }) {
  const [text, setText] = useState("");
  const filters = useMemo(() => filtersOf(search.value, text), [search.value, text]);
  const setFilters = (next: Filters): void => {
    setText(next.text);
    navigate(location.pathname + queryOf(next), true);
  };
  const [pointed, point] = useState<Chosen | null>(null);
  const [writing, write] = useState<string | null>(null);
  const [tab, setTab] = useState<"items" | "agents">("items");
  const chosen = chosenOf(path.value);
  const itemOf = (id: string | null) => (id === null ? undefined : board.interactions.find((one) => one.id === id));
  const item = chosen?.kind === "item" ? itemOf(chosen.id) : undefined;
  const agent = chosen?.kind === "agent" ? board.agents.find((one) => one.id === chosen.id) : undefined;
  useEffect(() => forgetUnless(new Set(board.interactions.map((one) => one.id))), [board.interactions]);
  useEffect(() => { if (chosen && !item && !agent) choose(null); }, [chosen?.id, item, agent]);
  useBoardKeys(item ?? (pointed?.kind === "item" ? itemOf(pointed.id) : undefined), chosen !== null);

  const openAlert = (alert: Alert): void => {
    const id = alert.interaction ?? alert.about ?? "";
    if (itemOf(id)) choose({ kind: "item", id });
    else if (board.agents.some((one) => one.id === (alert.agent ?? id))) choose({ kind: "agent", id: alert.agent ?? id });
    else if (board.queues.some((one) => one.name === (alert.queue ?? id))) setFilters({ ...NO_FILTERS, queue: alert.queue ?? id });
  };
  const namesOf = (alert: Alert) => ({
    who: board.agents.find((one) => one.id === alert.agent)?.name ?? itemOf(alert.interaction ?? alert.about ?? "")?.agent_name ?? t("someAgent"),
    queue: queueTitle(alert.queue ?? null),
  });
  const lists = { filters, chosen, choose, point };
  return (
    <div class={`board${chosen ? " with-drawer" : ""}`}>
      <Tiles queues={board.queues} chosen={filters.queue} choose={(queue) => setFilters({ ...filters, queue })} />
      <div class="board-lane">
        <Alerts alerts={board.alerts} open={openAlert} namesOf={namesOf} />
        <span class="muted small measured">{t("measured", { at: timeExact(board.measured_at) })}</span>
        {may("messages.send") && <Button size="small" icon={MessageSquare} keyHint="n" onClick={() => write("")}>{t("message.title")}</Button>}
      </div>
      <FilterBar board={board} filters={filters} set={setFilters} />
      <div class="board-tabs" role="group">
        <Button pressed={tab === "items"} onClick={() => setTab("items")}>{t("interactions")}</Button>
        <Button pressed={tab === "agents"} onClick={() => setTab("agents")}>{t("agents")}</Button>
      </div>
      <div class={`lists show-${tab}`}>
        <Items items={board.interactions} {...lists} />
        <Agents agents={board.agents} itemOf={itemOf} {...lists} />
        {item && <ItemDrawer item={item} board={board} onClose={() => choose(null)} write={write} />}
        {agent && <AgentDrawer agent={agent} item={itemOf(agent.interaction)} open={(id) => choose({ kind: "item", id })} onClose={() => choose(null)} write={write} />}
      </div>
      {writing !== null && <MessageDialog to={writing} board={board} onClose={() => write(null)} />}
      <MessageKey open={() => write("")} />
    </div>
  );
}

function MessageKey({ open }: { open: () => void }) {
  useActions(may("messages.send") ? [{ id: "message", title: t("message.new"), key: "n", group: t("title"), run: open }] : []);
  return null;
}

function useBoardKeys(target: BoardItem | undefined, open: boolean): void {
  const listens = may("supervise.listen");
  const speaks = may("supervise.speak");
  const on = (run: (id: string) => Promise<void>) => (): void => {
    if (target) void run(target.id);
  };
  const not = (act: Act): boolean => !target || !can(target, act);
  useActions([
    { id: "search", title: t("filter.search"), key: "/", group: t("title"), run: () => document.getElementById("board-search")?.focus() },
    { id: "close-drawer", title: t("close"), key: "escape", group: t("title"), run: () => choose(null), disabled: !open, hidden: true, inFields: true },
    { id: "listen", title: t("act.listen"), key: "l", group: t("act.group"), run: on((id) => supervise.start(id, "listen")), disabled: not("listen") || !listens },
    { id: "whisper", title: t("act.whisper"), key: "w", group: t("act.group"), run: on((id) => supervise.start(id, "whisper")), disabled: not("whisper") || !speaks },
    { id: "barge", title: t("act.barge"), key: "b", group: t("act.group"), run: on((id) => supervise.start(id, "barge")), disabled: not("barge") || !speaks },
    { id: "take-over", title: t("act.takeOver"), key: "t", group: t("act.group"), run: on((id) => supervise.takeOver(id)), disabled: not("takeOver") || !may("supervise.take_over") },
    { id: "stop-listening", title: t("act.stop"), key: "s", group: t("act.group"), run: on((id) => supervise.stop(id)), disabled: !target || !listens },
  ]);
}
