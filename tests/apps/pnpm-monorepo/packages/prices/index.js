const ms = require("ms");

exports.price = (amount) => `${amount} coins, good for ${ms(ms("2 days"), { long: true })}`;
