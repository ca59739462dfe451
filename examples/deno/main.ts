import { Hono } from "hono";

const app = new Hono();
const port = Number(Deno.env.get("PORT") ?? 3000);
const greeting = Deno.env.get("GREETING") ?? "Hello";

app.get("/", (page) => page.text(`${greeting} from Deno ${Deno.version.deno} on Mothership!\n`));

Deno.serve({ port, hostname: "0.0.0.0" }, app.fetch);
