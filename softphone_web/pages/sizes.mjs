// What each page makes a browser load, gzipped: `npm run build` prints it, and a page over its budget fails the build.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const out = process.env.RIMAY_PAGES_OUT ?? new URL("../../build/pages", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${out}/manifest.json`, "utf8"));
const BUDGET_KB = { "agente.html": 150, "llamar.html": 30 }; // of script, without the SIP library, which is loaded apart
const size = (file) => gzipSync(readFileSync(`${out}/${file}`), { level: 9 }).length / 1024;

function chunksOf(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) chunksOf(next, seen);
  return seen;
}

let over = false;
for (const [key, entry] of Object.entries(manifest).filter(([, one]) => one.isEntry)) {
  const chunks = [...chunksOf(key)].map((one) => manifest[one]);
  const script = chunks.reduce((sum, one) => sum + size(one.file), 0);
  const style = [...new Set(chunks.flatMap((one) => one.css ?? []))].reduce((sum, file) => sum + size(file), 0);
  const later = (entry.dynamicImports ?? []).map((one) => `${one.split("/").pop()} ${size(manifest[one].file).toFixed(1)}`);
  const budget = BUDGET_KB[key];
  over ||= budget !== undefined && script > budget;
  console.log(
    `${key.padEnd(18)} script ${script.toFixed(1).padStart(6)} KB gzip${budget ? ` (at most ${budget})` : ""}, style ${style.toFixed(1)} KB` +
      (later.length ? `; later: ${later.join(", ")} KB` : ""),
  );
}
if (over) {
  console.error("A page is over its budget.");
  process.exit(1);
}
