// The organisation as the server has it, and the way of every change into it: render, check, look, save.
import { api } from "../kit/api";
import { Problem } from "../kit/problem";
import type { Document } from "./document";
import type { Mistake } from "./mistakes";

export interface Organisation { revision: string | number; yaml: string; document: Document }
export interface Checked { yaml: string; mistakes: readonly Mistake[]; difference: readonly string[] }
type Change = (document: Document) => Document;

export const loadOrganisation = (signal?: AbortSignal): Promise<Organisation> => api.get<Organisation>("/organisation", signal);

export async function checkText(yaml: string): Promise<Checked> {
  const found = await api.post<Omit<Checked, "yaml">>("/organisation/check", { yaml });
  return { ...found, yaml };
}

/** What a change of the document would make of the text, with its mistakes or its difference. */
export async function checkChange(organisation: Organisation, change: Change): Promise<Checked> {
  const { yaml } = await api.post<{ yaml: string }>("/organisation/render", { document: change(organisation.document) });
  return checkText(yaml);
}

export const saveText = (yaml: string, organisation: Organisation): Promise<unknown> =>
  api.put("/organisation", { yaml, revision: organisation.revision });

/** Somebody else saved meanwhile. */
export const hasMoved = (error: unknown): boolean => error instanceof Problem && error.status === 409;
