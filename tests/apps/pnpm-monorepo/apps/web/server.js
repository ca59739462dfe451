const http = require("http");
const { price } = require("@shop/prices");

http.createServer((request, response) => response.end(price(42))).listen(process.env.PORT);
