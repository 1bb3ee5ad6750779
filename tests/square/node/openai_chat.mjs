// SPDX-License-Identifier: MIT
import OpenAI from "openai";

export function open(url, apiKey) {
  const completions = new OpenAI({ baseURL: url + "/v1", apiKey, maxRetries: 0 }).chat.completions;
  return {
    async whole(params) {
      const { data, response } = await completions.create(params).withResponse();
      return { reply: data, headers: Object.fromEntries(response.headers) };
    },

    // By the SDK's own accumulator.
    async stream(params) {
      const stream = completions.stream({ ...params, stream_options: { include_usage: true } });
      let pieces = 0;
      let thinking = "";
      let whole = null;
      for await (const chunk of stream) {
        for (const { delta } of chunk.choices) {
          pieces += delta.content ? 1 : 0;
          thinking += delta.reasoning_content ?? "";
        }
        whole = stream.currentChatCompletionSnapshot ?? whole;
      }
      const cut = ["length", "content_filter"].includes(whole?.choices[0]?.finish_reason);
      const reply = cut ? whole : await stream.finalChatCompletion();
      if (thinking) reply.choices[0].message.reasoning_content = thinking;
      return { reply, pieces };
    },

    async leave(params) {
      const stream = await completions.create({ ...params, stream: true });
      for await (const chunk of stream) {
        const heard = chunk.choices[0]?.delta.content;
        if (heard) return { heard }; // leaving the loop leaves the stream
      }
    },
  };
}
