const ms = require("ms");

require("http").createServer((_, answer) => answer.end(`berries keep ${ms(259200000, { long: true })}`)).listen(process.env.PORT);
