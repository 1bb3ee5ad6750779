// Turns the rank tables of js-tiktoken and the classes of Unicode into what src/tokens reads in the binary: one C++ file
// and the tables beside it. The same packages give the same bytes.
//
//   node web/tokens.mjs OUTPUT.cc             what the build runs
//   node web/tokens.mjs --ranks FOLDER        the tables themselves, "base64 rank" a line, for the tests
//
// A token is made of two others, and of those two only: of which two is what is kept, its bytes are not. Each table is a
// perfect hash (hash and displace): a pair has one place, found with one seed. SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const names = ["o200k_base", "cl100k_base"];

// [bytes as latin1, …] by rank. The package's own form: lines of a prefix, the first rank, and tokens in base64.
function ranks(name) {
  const table = require(`js-tiktoken/ranks/${name}`);
  const tokens = [];
  for (const line of (table.default ?? table).bpe_ranks.split("\n")) {
    const [, first, ...words] = line.split(" ");
    words.forEach((word, i) => (tokens[Number(first) + i] = Buffer.from(word, "base64").toString("latin1")));
  }
  return tokens;
}

// The two that are left before the last merge, by the rule that always the lowest rank is merged, the leftmost first.
function halves(token, rankOf) {
  const parts = [...token];
  while (parts.length > 2) {
    let best = -1;
    let lowest = Infinity;
    for (let i = 0; i + 1 < parts.length; ++i) {
      const rank = rankOf.get(parts[i] + parts[i + 1]);
      if (rank !== undefined && rank < lowest) [lowest, best] = [rank, i];
    }
    if (best < 0) return undefined;
    parts.splice(best, 2, parts[best] + parts[best + 1]);
  }
  return parts;
}

const u32 = (x) => x >>> 0;
function mix(x) {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return u32(x ^ (x >>> 16));
}
const range = (hash, size) => Math.floor((hash * size) / 2 ** 32);
// As in src/tokens/vocabulary.cc.
const bucketOf = (left, right, size) => range(mix(Math.imul(left, 0x9e3779b1) + right), size);
const placeOf = (left, right, seed, size) => range(mix(mix(left + Math.imul(seed, 0x9e3779b1)) ^ right), size);

function perfect(pairs) {
  const size = Math.ceil(pairs.length / 0.97);
  const buckets = Array.from({ length: Math.ceil(pairs.length / 4) }, () => []);
  for (const pair of pairs) buckets[bucketOf(pair[0], pair[1], buckets.length)].push(pair);
  const seeds = new Uint16Array(buckets.length);
  const cells = new BigUint64Array(size).fill(0xffffffffffffffffn);
  const taken = new Uint8Array(size);
  const order = [...buckets.keys()].sort((a, b) => buckets[b].length - buckets[a].length);
  for (const at of order) {
    const bucket = buckets[at];
    if (bucket.length === 0) break;
    for (let seed = 0; ; ++seed) {
      if (seed > 0xffff) throw new Error("no seed for a bucket");
      const places = bucket.map(([left, right]) => placeOf(left, right, seed, size));
      if (places.some((place, i) => taken[place] || places.indexOf(place) !== i)) continue;
      seeds[at] = seed;
      places.forEach((place, i) => {
        const [left, right, token] = bucket[i];
        taken[place] = 1;
        cells[place] = (BigInt(left) << 36n) | (BigInt(right) << 18n) | BigInt(token);
      });
      break;
    }
  }
  return { cells, seeds };
}

function vocabulary(name) {
  const tokens = ranks(name);
  const rankOf = new Map(tokens.map((token, rank) => [token, rank]));
  const bytes = new Uint32Array(256);
  const pairs = [];
  tokens.forEach((token, rank) => {
    if (token.length === 1) {
      bytes[token.charCodeAt(0)] = rank;
      return;
    }
    const parts = halves(token, rankOf);
    // Then pairs alone would not do, and nobody has seen that.
    if (!parts) throw new Error(`${name}: the token ${rank} is not made by merges`);
    pairs.push([rankOf.get(parts[0]), rankOf.get(parts[1]), rank]);
  });
  return { name, bytes, ...perfect(pairs) };
}

// Class of every code point, as src/tokens/letters.h names them, in pages of 256.
function classes() {
  const set = (path) => require(`regenerate-unicode-properties/${path}.js`).characters;
  const all = new Uint8Array(0x110000);
  const paint = (kind, path) => set(path).toArray().forEach((code) => (all[code] = kind));
  for (const name of ["Uppercase_Letter", "Titlecase_Letter"]) paint(1, `General_Category/${name}`);
  paint(2, "General_Category/Lowercase_Letter");
  for (const name of ["Modifier_Letter", "Other_Letter"]) paint(3, `General_Category/${name}`);
  paint(4, "General_Category/Mark");
  paint(5, "General_Category/Number");
  paint(6, "Binary_Property/White_Space");
  const pages = [];
  const known = new Map();
  const index = new Uint8Array(0x1100);
  for (let page = 0; page < index.length; ++page) {
    const bytes = Buffer.from(all.subarray(page * 256, page * 256 + 256));
    const key = bytes.toString("latin1");
    if (!known.has(key)) {
      known.set(key, pages.length);
      pages.push(bytes);
    }
    index[page] = known.get(key);
  }
  if (pages.length > 256) throw new Error("more pages than a byte counts");
  return { index, pages: Buffer.concat(pages) };
}

function write(output) {
  const folder = dirname(output);
  mkdirSync(folder, { recursive: true });
  let blobs = "";
  const blob = (name, type, array) => {
    const file = join(folder, `${name}.bin`);
    writeFileSync(file, Buffer.from(array.buffer, array.byteOffset, array.byteLength));
    blobs += `asm(".pushsection .rodata\\n.balign 64\\n.hidden sluice_${name}\\n.globl sluice_${name}\\nsluice_${name}:\\n"
    ".incbin \\"${file}\\"\\n.popsection\\n");
extern "C" const std::${type} sluice_${name}[];
`;
    return `{sluice_${name}, ${array.length}}`;
  };
  const rows = names.map((name) => {
    const { bytes, cells, seeds } = vocabulary(name);
    return `    {${blob(`${name}_bytes`, "uint32_t", bytes)}, ${blob(`${name}_cells`, "uint64_t", cells)}, ${blob(`${name}_seeds`, "uint16_t", seeds)}},\n`;
  });
  const { index, pages } = classes();
  const letters = `{${blob("letter_index", "uint8_t", index)}, ${blob("letter_pages", "uint8_t", pages)}}`;
  writeFileSync(
    output,
    `// Made by web/tokens.mjs of others' data: web/docs/tokens.LICENSE.txt. SPDX-License-Identifier: MIT AND Unicode-3.0
#include "tokens/letters.h"
#include "tokens/vocabulary.h"

${blobs}
namespace sluice {

const std::array<Vocabulary, 2> vocabularies = {{
${rows.join("")}}};
const Letters letters = ${letters};

}  // namespace sluice
`,
  );
}

const [first, second] = process.argv.slice(2);
if (first === "--ranks") {
  mkdirSync(second, { recursive: true });
  for (const name of names) {
    const lines = ranks(name).map((token, rank) => `${Buffer.from(token, "latin1").toString("base64")} ${rank}\n`);
    writeFileSync(join(second, `${name}.tiktoken`), lines.join(""));
  }
} else {
  write(first);
}
