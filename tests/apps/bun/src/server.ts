import ms from "ms";

Bun.serve({
  port: process.env.PORT,
  fetch: (request) => new Response(`Bun: ${new URL(request.url).pathname} after ${ms("2m")} ms`),
});
