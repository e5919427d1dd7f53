import { startPage } from "../kit/page";
import { Shell } from "../kit/shell";
import "./supervisor.css";
import { Supervisor } from "./supervisor";

startPage(
  <Shell page="supervisor">
    <Supervisor />
  </Shell>,
);
