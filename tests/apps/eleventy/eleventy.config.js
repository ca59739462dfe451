export const config = { dir: { input: "content" } };

export default (eleventy) => eleventy.addFilter("shout", (text) => `${text.toUpperCase()}!`);
