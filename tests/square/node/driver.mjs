// The official SDKs for Node as a child of the tests: one JSON line in per question, one out. Each SDK has a file beside
// this one, which answers {reply, pieces} or raises. SPDX-License-Identifier: MIT
import { createInterface } from "node:readline";

const [dialect, url, key] = process.argv.slice(2);
const { open } = await import(`./${dialect}.mjs`);
const sdk = await open(url, key);

// What the SDKs tell of an error: some have a status and a message, some a body.
function told(error) {
  const status = error.status ?? error.statusCode ?? error.$metadata?.httpStatusCode ?? null;
  const body = error.body?.message ?? "";
  return { class: error.constructor.name, name: error.name, status, message: `${error.message} ${body}`.trim() };
}

async function run({ id, operation, params }) {
  try {
    return { id, ...(await sdk[operation](params)) };
  } catch (error) {
    if (error instanceof TypeError && !/terminated|fetch failed/.test(error.message)) return { id, crash: error.stack };
    return { id, error: told(error) };
  }
}

process.stdout.write(JSON.stringify({ ready: true }) + "\n");
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(line))) + "\n");
}
