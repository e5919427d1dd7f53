import { startPage } from "../kit/page";
import { Shell } from "../kit/shell";
import { Admin } from "./admin";
import "./admin.css";

startPage(
  <Shell page="admin">
    <Admin />
  </Shell>,
);
