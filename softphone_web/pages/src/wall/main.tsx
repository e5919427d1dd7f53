import { startPage } from "../kit/page";
import "./wall.css";
import { WallPage } from "./wall";

startPage(<WallPage />);
