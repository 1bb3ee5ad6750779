// The official OpenAI SDK for Node as a child of the tests: one JSON line in per operation, one out. What the operations
// mean is told in harness/sdks.py. SPDX-License-Identifier: MIT
import { createInterface } from "node:readline";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { VERSION } from "openai/version";
import { z } from "zod";

const City = z.object({ name: z.string(), population: z.number().int(), rivers: z.array(z.string()) });

const operations = {
  async chat(client, params, options, out) {
    const { data, response } = await client.chat.completions.create(params).withResponse();
    out.headers = Object.fromEntries(response.headers);
    out.completion = data;
  },

  async stream(client, params, options, out) {
    const { data, response } = await client.chat.completions.create({ ...params, stream: true }).withResponse();
    out.headers = Object.fromEntries(response.headers);
    for await (const chunk of data) out.chunks.push(chunk);
  },

  async helper(client, params, options, out) {
    out.completion = await client.chat.completions.stream(params).finalChatCompletion();
  },

  async parse(client, params, options, out) {
    const reply = await client.chat.completions.parse({ ...params, response_format: zodResponseFormat(City, "City") });
    out.completion = reply;
    out.parsed = reply.choices[0].message.parsed;
  },

  async leave(client, params, options, out) {
    if (!params.stream) return operations.chat(client, params, options, out);
    const stream = await client.chat.completions.create(params);
    for await (const chunk of stream) {
      out.chunks.push(chunk);
      if (out.chunks.length === options.after) break;
    }
    stream.controller.abort();
  },

  async run_tools(client, params, options, out) {
    const weather = { ...params.tools[0].function, parse: JSON.parse, function: ({ city }) => `rain in ${city}` };
    const runner = client.chat.completions.runTools({ ...params, tools: [{ type: "function", function: weather }] });
    out.completion = await runner.finalChatCompletion();
  },

  async models(client, params, options, out) {
    for await (const model of client.models.list()) out.models.push(model.id);
  },
};

function told(error) {
  return {
    class: error.constructor.name,
    status: error.status ?? null,
    code: error.code ?? null,
    type: error.type ?? null,
    param: error.param ?? null,
    message: error.message,
    request_id: error.requestID ?? null,
    headers: error.headers ? Object.fromEntries(error.headers) : {},
  };
}

function say(value) {
  process.stdout.write(JSON.stringify(value) + "\n");
}

async function run({ id, operation, base_url, params, options }) {
  const out = { id, chunks: [], headers: {}, models: [] };
  try {
    const client = new OpenAI({
      baseURL: base_url + "/v1",
      apiKey: options.api_key ?? "dummy-key",
      maxRetries: options.max_retries,
      timeout: options.timeout ? options.timeout * 1000 : undefined,
      defaultHeaders: options.headers,
    });
    await operations[operation](client, params, options, out);
    say(out);
  } catch (error) {
    if (error instanceof OpenAI.APIError) say({ ...out, error: told(error) });
    else say({ id, crash: String(error.stack ?? error) });
  }
}

say({ version: VERSION });
for await (const line of createInterface({ input: process.stdin })) run(JSON.parse(line));
