import { render } from "preact";
import "./citizen.css";
import { Page } from "./page";

const root = document.getElementById("app");
if (root) render(<Page />, root);
