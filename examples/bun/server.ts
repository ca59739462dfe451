import { Hono } from "hono";

const app = new Hono();
const port = Number(process.env.PORT ?? 3000);
const greeting = process.env.GREETING ?? "Hello";

app.get("/", (page) => page.text(`${greeting} from Bun ${Bun.version} on Mothership!\n`));

export default { port, hostname: "0.0.0.0", fetch: app.fetch };
