// Prints the newest version on standard input (a JSON array) that satisfies a range; lists the majors when none does.
const semver = require("/opt/node/lib/node_modules/npm/node_modules/semver");
const versions = JSON.parse(require("fs").readFileSync(0, "utf8"));
const found = semver.maxSatisfying(versions, process.argv[2]);
if (!found) {
  console.log([...new Set(versions.map((version) => `${semver.major(version)}.x`))].reverse().slice(0, 12).join(", "));
  process.exit(1);
}
console.log(found);
