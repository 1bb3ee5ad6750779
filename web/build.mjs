// Turns the sources of this folder into one C++ file that carries every asset, gzip-compressed: what the gateway serves
// under /docs and /openapi.json. The same sources and the same Node give the same bytes.
//
//   node web/build.mjs OUTPUT.cc VERSION
//
// SPDX-License-Identifier: MIT
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { openapi } from "./docs/openapi.mjs";

const [output, version] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const swagger = join(here, "node_modules/swagger-ui-dist");
const text = (...path) => readFileSync(join(...path), "utf8");

// What web/tokens.mjs packs has its notice here as well.
const licences = [
  ...["LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"].map((file) => text(swagger, file)),
  text(here, "docs/tokens.LICENSE.txt"),
].join("\n\n");

const assets = [
  ["/docs", "text/html; charset=utf-8", text(here, "docs/index.html")],
  ["/docs/docs.js", "text/javascript; charset=utf-8", text(here, "docs/docs.js")],
  ["/docs/docs.css", "text/css; charset=utf-8", text(here, "docs/docs.css")],
  ["/docs/icon.svg", "image/svg+xml", text(here, "docs/icon.svg")],
  ["/docs/licences.txt", "text/plain; charset=utf-8", licences],
  ["/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", text(swagger, "swagger-ui-bundle.js")],
  ["/docs/swagger-ui.css", "text/css; charset=utf-8", text(swagger, "swagger-ui.css")],
  ["/openapi.json", "application/json", JSON.stringify(openapi(version))],
];

const folder = dirname(output);
mkdirSync(folder, { recursive: true });
let blobs = "";
let rows = "";
assets.forEach(([path, type, content], i) => {
  // A source map would be a request for a file that is not there.
  const bytes = Buffer.from(content.replace(/^\/[/*]# sourceMappingURL=.*$/gm, ""));
  const zipped = gzipSync(bytes, { level: 9 });
  const etag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const file = join(folder, `asset_${i}.gz`);
  writeFileSync(file, zipped);
  // Inline assembly, so that the file is compiled with the hardening flags of all others.
  blobs += `asm(".pushsection .rodata\\n.balign 16\\n.hidden sluice_asset_${i}\\n.globl sluice_asset_${i}\\nsluice_asset_${i}:\\n"
    ".incbin \\"${file}\\"\\n.popsection\\n");
extern "C" const char sluice_asset_${i}[];
`;
  rows += `    {"${path}", "${type}", {sluice_asset_${i}, ${zipped.length}}, true, "W/\\"${etag}\\""},\n`;
});

writeFileSync(
  output,
  `// Made by web/build.mjs. SPDX-License-Identifier: MIT
#include "gateway/asset.h"

${blobs}
namespace sluice {

std::span<const Asset> assets() {
  static const Asset all[] = {
${rows}  };
  return all;
}

}  // namespace sluice
`,
);
