// What the mock says: whole replies and the events of a stream in the three dialects, shaped like the vendors' own.
// Text only, no sockets. An "event" here is one paced text delta; the frames around it (opening, closing, usage) ride
// with the first and the last, so that each stream has exactly as many paced writes as its model name asks for.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "steer.h"

namespace bench {

// One request as far as the mock reads it.
struct Ask {
  Dialect dialect = Dialect::openai;
  bool stream = false;
  bool usage = false;  // stream_options.include_usage
  std::string model;
  Steering steer;
  Tag tag{};
};

inline std::string_view view(const Tag& tag) {
  return {tag.data(), tag.size()};
}

inline std::string openai_usage() {
  return R"("usage":{"prompt_tokens":)" + std::to_string(input_tokens) + R"(,"completion_tokens":)" +
         std::to_string(output_tokens) + R"(,"total_tokens":)" + std::to_string(input_tokens + output_tokens) +
         R"(,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}})";
}

inline std::string gemini_usage() {
  return R"("usageMetadata":{"promptTokenCount":)" + std::to_string(input_tokens) + R"(,"candidatesTokenCount":)" +
         std::to_string(output_tokens) + R"(,"totalTokenCount":)" + std::to_string(input_tokens + output_tokens) + "}";
}

inline std::string whole_body(const Ask& ask) {
  std::string text;
  text.reserve(ask.steer.text + 64);
  while (text.size() < ask.steer.text) text += "The quick brown fox jumps over the lazy dog. ";
  text.append(tag_name).append(view(ask.tag)).append(" ").append(reply_end);
  switch (ask.dialect) {
    case Dialect::openai:
      return R"({"id":"chatcmpl-mock0000000000000000","object":"chat.completion","created":1700000000,"model":")" +
             ask.model + R"(","choices":[{"index":0,"message":{"role":"assistant","content":")" + text +
             R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],)" + openai_usage() +
             R"(,"service_tier":"default","system_fingerprint":"fp_mock"})";
    case Dialect::anthropic:
      return R"({"model":")" + ask.model + R"(","id":"msg_mock0000000000000000","type":"message","role":"assistant",)" +
             R"("content":[{"type":"text","text":")" + text +
             R"("}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":)" +
             std::to_string(input_tokens) + R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,)" +
             R"("output_tokens":)" + std::to_string(output_tokens) + R"(,"service_tier":"standard"}})";
    case Dialect::gemini:
      return R"({"candidates":[{"content":{"parts":[{"text":")" + text +
             R"("}],"role":"model"},"finishReason":"STOP","index":0}],)" + gemini_usage() + R"(,"modelVersion":")" +
             ask.model + R"(","responseId":"mock0000000000000000"})";
  }
  return {};
}

inline void append_text(std::string& out, const Ask& ask) {
  out.append(" ").append(stamp_name).append(std::to_string(now_ns())).append(" ");
  out.append(tag_name).append(view(ask.tag)).append(" ");
}

inline void append_openai(std::string& out, const Ask& ask, bool first, bool last) {
  const auto chunk = [&](auto&& fill, std::string_view reason) {
    out.append(R"(data: {"id":"chatcmpl-mock0000000000000000","object":"chat.completion.chunk","created":1700000000,)");
    out.append(R"("model":")").append(ask.model);
    out.append(R"(","service_tier":"default","system_fingerprint":"fp_mock","choices":[{"index":0,"delta":{)");
    fill();
    out.append(R"(},"logprobs":null,"finish_reason":)").append(reason).append("}]}\n\n");
  };
  if (first) chunk([&] { out.append(R"("role":"assistant","content":"","refusal":null)"); }, "null");
  chunk([&] { append_text(out.append(R"("content":")"), ask), out.append("\""); }, "null");
  if (!last) return;
  chunk([] {}, R"("stop")");
  if (ask.usage) {
    out.append(R"(data: {"id":"chatcmpl-mock0000000000000000","object":"chat.completion.chunk","created":1700000000,)");
    out.append(R"("model":")").append(ask.model).append(R"(","choices":[],)").append(openai_usage()).append("}\n\n");
  }
  out.append("data: [DONE]\n\n");
}

inline void append_anthropic(std::string& out, const Ask& ask, bool first, bool last) {
  if (first) {
    out.append("event: message_start\ndata: ");
    out.append(R"({"type":"message_start","message":{"model":")").append(ask.model);
    out.append(R"(","id":"msg_mock0000000000000000","type":"message","role":"assistant","content":[],)");
    out.append(R"("stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":)");
    out.append(std::to_string(input_tokens));
    out.append(R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}})");
    out.append("\n\nevent: content_block_start\ndata: ");
    out.append(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
    out.append("\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n");
  }
  out.append("event: content_block_delta\ndata: ");
  out.append(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")");
  append_text(out, ask);
  out.append("\"}}\n\n");
  if (!last) return;
  out.append("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n");
  out.append("event: message_delta\ndata: ");
  out.append(R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{)");
  out.append(R"("output_tokens":)").append(std::to_string(output_tokens)).append("}}\n\n");
  out.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

inline void append_gemini(std::string& out, const Ask& ask, bool last) {
  out.append(R"(data: {"candidates":[{"content":{"parts":[{"text":")");
  append_text(out, ask);
  out.append(R"("}],"role":"model"},)").append(last ? R"("finishReason":"STOP",)" : "").append(R"("index":0}],)");
  out.append(gemini_usage()).append(R"(,"modelVersion":")").append(ask.model);
  out.append(R"(","responseId":"mock0000000000000000"})").append("\r\n\r\n");
}

// Appends event `number` (from 1) of the stream.
inline void append_event(std::string& out, const Ask& ask, unsigned number) {
  const bool first = number == 1;
  const bool last = number == ask.steer.events;
  switch (ask.dialect) {
    case Dialect::openai: return append_openai(out, ask, first, last);
    case Dialect::anthropic: return append_anthropic(out, ask, first, last);
    case Dialect::gemini: return append_gemini(out, ask, last);
  }
}

inline std::string refusal_body(Dialect dialect, std::string_view message) {
  const std::string text(message);
  switch (dialect) {
    case Dialect::openai:
      return R"({"error":{"message":")" + text + R"(","type":"invalid_request_error","param":null,"code":null}})";
    case Dialect::anthropic:
      return R"({"type":"error","error":{"type":"invalid_request_error","message":")" + text + R"("}})";
    case Dialect::gemini: return R"({"error":{"code":400,"message":")" + text + R"(","status":"INVALID_ARGUMENT"}})";
  }
  return {};
}

}  // namespace bench
