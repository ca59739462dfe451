export const greet = (words) => console.log(words);
