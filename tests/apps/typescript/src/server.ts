import { existsSync } from "node:fs";
import { createServer } from "node:http";
import ms from "ms";

const compiler: boolean = existsSync("node_modules/typescript");
createServer((_, response) => response.end(`${ms("1h")} compiler=${compiler}`)).listen(Number(process.env.PORT));
