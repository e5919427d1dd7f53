import { startPage } from "../kit/page";
import { Shell } from "../kit/shell";

startPage(<Shell page="agent">{null}</Shell>);
