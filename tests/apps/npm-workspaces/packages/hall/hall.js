import { createServer } from "node:http";
import { chime } from "@town/clock";

createServer((_, answer) => answer.end(`the hall ${chime}`)).listen(process.env.PORT);
