import { startPage } from "../kit/page";
import { Shell } from "../kit/shell";
import { LegState } from "./leg";
import "./supervisor.css";
import { Supervisor } from "./supervisor";

startPage(
  <Shell page="supervisor" rail={<LegState />}>
    <Supervisor />
  </Shell>,
);
