import { startPage } from "../kit/page";
import { AgentApp } from "./page";

startPage(<AgentApp />);
