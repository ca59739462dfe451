import ms from "ms";

export const chime = `chimes every ${ms(ms("1h"), { long: true })}`;
