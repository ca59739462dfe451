// Prints deno.json or deno.jsonc as plain JSON: comments and trailing commas are allowed there.
const text = Deno.readTextFileSync(Deno.args[0]);
const plain = text
  .replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, string) => string ?? "")
  .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, string) => string ?? "");
const value = JSON.parse(plain);
if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("It must be an object.");
console.log(JSON.stringify(value));
