const express = require("express");

const app = express();
app.set("trust proxy", true);
app.use(express.static("public"));
app.get("/who", (request, response) => response.send(`${request.protocol}://${request.hostname} in ${process.env.NODE_ENV}`));
module.exports = app;
