// OpenAI's Chat Completions. SPDX-License-Identifier: MIT
#pragma once

#include "manner.h"

namespace bench {

class OpenaiChat final : public Manner {
 public:
  constexpr OpenaiChat() : Manner("openai_chat", "mock") {}
  std::string path(const Prompt&) const override { return "/v1/chat/completions"; }
  bool takes(std::string_view path) const override { return path == "/v1/chat/completions"; }

  std::string begin() const override {
    return R"({"messages":[{"role":"system","content":)" + in_quotes(system_text) + "},";
  }
  std::string say(bool user, std::string_view text) const override {
    return R"({"role":")" + std::string(user ? "user" : "assistant") + R"(","content":)" + in_quotes(text) + "}";
  }
  std::string call(std::string_view id) const override {
    return R"({"role":"assistant","content":null,"tool_calls":[{"id":)" + in_quotes(id) +
           R"(,"type":"function","function":{"name":)" + in_quotes(tool_name) + R"(,"arguments":)" +
           in_quotes(inside(tool_arguments)) + "}}]}";
  }
  std::string give(std::string_view id, std::string_view text) const override {
    return R"({"role":"tool","tool_call_id":)" + in_quotes(id) + R"(,"content":)" + in_quotes(text) + "}";
  }
  std::string end(const Prompt& prompt) const override {
    std::string out = R"(],"model":)" + in_quotes(prompt.model) + R"(,"max_tokens":256,"stream":)";
    out += prompt.stream ? "true" : "false";
    if (prompt.stream && prompt.usage) out += R"(,"stream_options":{"include_usage":true})";
    out += R"(,"temperature":0.7)";
    if (prompt.calls > 0) {
      out += R"(,"tools":[{"type":"function","function":{"name":)" + in_quotes(tool_name) + R"(,"description":)" +
             in_quotes(tool_description) + R"(,"parameters":)" + std::string(tool_schema) + "}}]";
    }
    return out + "}";
  }

  std::string whole(const Ask& ask, std::string_view text) const override {
    return R"({"id":"chatcmpl-mock0000000000000000","object":"chat.completion","created":1700000000,"model":")" +
           ask.model + R"(","choices":[{"index":0,"message":{"role":"assistant","content":)" + in_quotes(text) +
           R"(,"refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],)" + usage() +
           R"(,"service_tier":"default","system_fingerprint":"fp_mock"})";
  }
  bool counted(std::string_view reply) const override {
    return member(reply, R"("finish_reason")") == "stop" && member(reply, R"("total_tokens")") == "392";
  }

  bool streams() const override { return true; }
  void event(std::string& out, const Ask& ask, bool first, bool last) const override {
    const auto chunk = [&](auto&& fill, std::string_view reason) {
      out.append(
          R"(data: {"id":"chatcmpl-mock0000000000000000","object":"chat.completion.chunk","created":1700000000,)");
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
      out.append(
          R"(data: {"id":"chatcmpl-mock0000000000000000","object":"chat.completion.chunk","created":1700000000,)");
      out.append(R"("model":")").append(ask.model).append(R"(","choices":[],)").append(usage()).append("}\n\n");
    }
    out.append("data: [DONE]\n\n");
  }
  void watch(std::string_view line, Seen& seen) const override {
    seen.finished = seen.finished || member(line, R"("finish_reason")") == "stop";
    seen.ended = line.substr(0, 12) == "data: [DONE]";
  }

 private:
  static std::string usage() {
    return R"("usage":{"prompt_tokens":)" + std::to_string(input_tokens) + R"(,"completion_tokens":)" +
           std::to_string(output_tokens) + R"(,"total_tokens":)" + std::to_string(input_tokens + output_tokens) +
           R"(,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}})";
  }
};

}  // namespace bench
