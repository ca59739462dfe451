import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import ms from "ms";

const source = `${readFileSync("assets/app.js")}\n// good for ${ms("1 day")}\n`;
const name = `app-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`;
mkdirSync("public/build", { recursive: true });
writeFileSync(`public/build/${name}`, source);
writeFileSync("public/build/manifest.json", JSON.stringify({ "app.js": name }));
