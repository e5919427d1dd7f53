// How every page of ours starts.
import "./base.css";
import "./controls.css";
import "./shell.css";
import { render, type ComponentChild } from "preact";
import { startKeys } from "./actions";
import { setLanguage } from "./i18n";
import { recallTheme } from "./theme";

export function startPage(content: ComponentChild): void {
  recallTheme();
  setLanguage("es");
  startKeys();
  const root = document.getElementById("app");
  if (root) render(content, root);
}
