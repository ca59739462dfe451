import { greet } from "./greet";

greet("bundled by Node, served by Python");
