import { startPage } from "../kit/page";
import { SignIn } from "./signin";

startPage(<SignIn />);
