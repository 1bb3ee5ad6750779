// Cohere's Chat, version 2, whole replies. SPDX-License-Identifier: MIT
#pragma once

#include "manner.h"

namespace bench {

class Cohere final : public Manner {
 public:
  constexpr Cohere() : Manner("cohere", "command-") {}
  std::string path(const Prompt&) const override { return "/v2/chat"; }
  bool takes(std::string_view path) const override { return path == "/v2/chat"; }

  std::string begin() const override {
    return R"({"messages":[{"role":"system","content":)" + in_quotes(system_text) + "},";
  }
  std::string say(bool user, std::string_view text) const override {
    return R"({"role":")" + std::string(user ? "user" : "assistant") + R"(","content":)" + in_quotes(text) + "}";
  }
  std::string call(std::string_view id) const override {
    return R"({"role":"assistant","tool_plan":"I will look the river up.","tool_calls":[{"id":)" + in_quotes(id) +
           R"(,"type":"function","function":{"name":)" + in_quotes(tool_name) + R"(,"arguments":)" +
           in_quotes(inside(tool_arguments)) + "}}]}";
  }
  std::string give(std::string_view id, std::string_view text) const override {
    return R"({"role":"tool","tool_call_id":)" + in_quotes(id) + R"(,"content":)" + in_quotes(text) + "}";
  }
  std::string end(const Prompt& prompt) const override {
    std::string out = R"(],"model":)" + in_quotes(prompt.model) + R"(,"max_tokens":256,"stream":)" +
                      (prompt.stream ? "true" : "false") + R"(,"temperature":0.7)";
    if (prompt.calls > 0) {
      out += R"(,"tools":[{"type":"function","function":{"name":)" + in_quotes(tool_name) + R"(,"description":)" +
             in_quotes(tool_description) + R"(,"parameters":)" + std::string(tool_schema) + "}}]";
    }
    return out + "}";
  }
  std::string refusal(std::string_view message) const override {
    return R"({"id":"mock0000-0000-0000-0000-000000000000","message":)" + in_quotes(message) + "}";
  }

  std::string whole(const Ask&, std::string_view text) const override {
    const std::string tokens = R"({"input_tokens":)" + std::to_string(input_tokens) + R"(,"output_tokens":)" +
                               std::to_string(output_tokens) + "}";
    return R"({"id":"mock0000-0000-0000-0000-000000000000","message":{"role":"assistant","content":)"
           R"([{"type":"text","text":)" +
           in_quotes(text) + R"(}]},"finish_reason":"COMPLETE","usage":{"billed_units":)" + tokens + R"(,"tokens":)" +
           tokens + R"(,"cached_tokens":0}})";
  }
  bool counted(std::string_view reply) const override {
    return member(reply, R"("finish_reason")") == "COMPLETE" && member(reply, R"("output_tokens")") == "180";
  }
};

}  // namespace bench
