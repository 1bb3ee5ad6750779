// SPDX-License-Identifier: MIT
import OpenAI from "openai";

export function open(url, apiKey) {
  const responses = new OpenAI({ baseURL: url + "/v1", apiKey, maxRetries: 0 }).responses;
  return {
    async whole(params) {
      const { data, response } = await responses.create(params).withResponse();
      return { reply: data, headers: Object.fromEntries(response.headers) };
    },

    async stream(params) {
      const stream = responses.stream(params);
      let pieces = 0;
      for await (const event of stream) pieces += event.type === "response.output_text.delta" ? 1 : 0;
      return { reply: await stream.finalResponse(), pieces };
    },

    async leave(params) {
      const stream = await responses.create({ ...params, stream: true });
      for await (const event of stream) {
        if (event.type === "response.output_text.delta") return { heard: event.delta };
      }
    },
  };
}
