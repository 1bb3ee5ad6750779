// SPDX-License-Identifier: MIT
import { GoogleGenAI } from "@google/genai";

// The reply without what the SDK puts beside it.
function plain(reply) {
  const { sdkHttpResponse, ...rest } = reply;
  return rest;
}

export function open(url, apiKey) {
  const models = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } }).models;
  return {
    async whole(params) {
      const reply = await models.generateContent(params);
      return { reply: [plain(reply)], headers: reply.sdkHttpResponse?.headers ?? {} };
    },

    async stream(params) {
      const reply = [];
      for await (const chunk of await models.generateContentStream(params)) reply.push(plain(chunk));
      return { reply };
    },

    async leave(params) {
      const left = new AbortController();
      const config = { ...params.config, abortSignal: left.signal };
      for await (const chunk of await models.generateContentStream({ ...params, config })) {
        if (!chunk.text) continue;
        left.abort();
        return { heard: chunk.text };
      }
    },
  };
}
