// SPDX-License-Identifier: MIT
import { CohereClientV2 } from "cohere-ai";

// This SDK has camelCase where the wire has snake_case; what is inside a schema or a document is the user's own.
const own = new Set(["parameters", "json_schema", "jsonSchema", "data"]);
function renamed(value, rename) {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (value === null || typeof value !== "object") return value;
  const one = ([name, inner]) => [rename(name), own.has(name) ? inner : renamed(inner, rename)];
  return Object.fromEntries(Object.entries(value).map(one));
}
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());

export function open(environment, token) {
  const client = new CohereClientV2({ token, environment });
  const once = { maxRetries: 0 };
  return {
    async whole(params) {
      const { data, rawResponse } = await client.chat(renamed(params, camel), once).withRawResponse();
      return { reply: renamed(data, snake), headers: Object.fromEntries(rawResponse.headers) };
    },

    // The SDK has nothing that folds a stream: the events, as they came.
    async stream(params) {
      const events = [];
      for await (const event of await client.chatStream(renamed(params, camel), once)) events.push(renamed(event, snake));
      return { events };
    },

    async leave(params) {
      const left = new AbortController();
      let heard;
      try {
        const events = await client.chatStream(renamed(params, camel), { ...once, abortSignal: left.signal });
        for await (const event of events) {
          if (event.type !== "content-delta") continue;
          heard = event.delta.message.content.text;
          left.abort();
          break;
        }
      } catch (error) {
        if (!left.signal.aborted) throw error;
      }
      return { heard };
    },
  };
}
