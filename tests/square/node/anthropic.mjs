// SPDX-License-Identifier: MIT
import Anthropic from "@anthropic-ai/sdk";

export function open(url, apiKey) {
  const messages = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 }).messages;
  return {
    async whole(params) {
      const { data, response } = await messages.create(params).withResponse();
      return { reply: data, headers: Object.fromEntries(response.headers) };
    },

    async stream(params) {
      const stream = messages.stream(params);
      let pieces = 0;
      stream.on("text", () => (pieces += 1));
      return { reply: await stream.finalMessage(), pieces };
    },

    async leave(params) {
      const stream = await messages.create({ ...params, stream: true });
      for await (const event of stream) {
        if (event.type === "content_block_delta") return { heard: event.delta.text };
      }
    },
  };
}
