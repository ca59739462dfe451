const express = require("express");

const app = express();
const port = process.env.PORT || 3000;

app.get("/", (request, response) => {
  response.send(`Hello from Express on Mothership! This is ${process.env.DYNO || "local"}.\n`);
});

app.listen(port, "0.0.0.0", () => console.log(`Listening on ${port}`));
