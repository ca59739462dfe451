const Koa = require("koa");

const app = new Koa();
app.use((context) => {
  context.body = `Koa with debug ${require("debug/package.json").version}`;
});
app.listen(process.env.PORT);
