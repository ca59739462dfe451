// Prints the newest version on standard input (a JSON array) that satisfies a range; else the newest of each series.
const semver = require("/opt/node/lib/node_modules/npm/node_modules/semver");
const text = require("fs").readFileSync(0, "utf8");
const versions = [].concat(text ? JSON.parse(text) : []).filter((version) => !semver.prerelease(version));
const range = process.argv[2];
const found = semver.validRange(range) === null ? null : semver.maxSatisfying(versions, range);
if (!found) {
  const series = new Map();
  for (const version of semver.sort(versions)) series.set(`${semver.major(version)}.${semver.minor(version)}`, version);
  console.log([...series.values()].reverse().slice(0, 12).join(", "));
  process.exit(1);
}
console.log(found);
