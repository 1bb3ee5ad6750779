// SPDX-License-Identifier: MIT
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";

// {"base64": …} <-> bytes.
function withBytes(value) {
  if (Array.isArray(value)) return value.map(withBytes);
  if (value === null || typeof value !== "object") return value;
  if (Object.keys(value).join() === "base64") return Buffer.from(value.base64, "base64");
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withBytes(inner)]));
}
function withText(value) {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(withText);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withText(inner)]));
}

export function open(endpoint, secretAccessKey) {
  const client = new BedrockRuntimeClient({
    endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIAOFTHECLIENT00000", secretAccessKey },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(), // by itself it speaks HTTP/2 only, which the gateway does not yet
  });
  return {
    async whole(params) {
      return { reply: withText(await client.send(new ConverseCommand(withBytes(params)))) };
    },

    // The SDK has nothing that folds a stream: the events, as they came.
    async stream(params) {
      const events = [];
      const { stream } = await client.send(new ConverseStreamCommand(withBytes(params)));
      for await (const event of stream) events.push(withText(event));
      return { events };
    },

    async leave(params) {
      const left = new AbortController();
      const command = new ConverseStreamCommand(withBytes(params));
      const { stream } = await client.send(command, { abortSignal: left.signal });
      for await (const event of stream) {
        const heard = event.contentBlockDelta?.delta.text;
        if (!heard) continue;
        left.abort();
        return { heard };
      }
    },
  };
}
