import ms from "ms";

const port = Number(Deno.env.get("PORT"));
Deno.serve({ port, hostname: "0.0.0.0" }, () => new Response(`Deno waits ${ms("90s")} ms`));
