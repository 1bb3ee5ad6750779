// Bedrock's Converse with an API key, whole replies. SPDX-License-Identifier: MIT
#pragma once

#include "manner.h"

namespace bench {

class BedrockConverse final : public Manner {
 public:
  constexpr BedrockConverse() : Manner("bedrock_converse", "bedrock-") {}
  std::string path(const Prompt& prompt) const override { return std::string(folder) + prompt.model + "/converse"; }
  bool takes(std::string_view path) const override { return path.starts_with(folder); }
  bool read_path(std::string_view path, Ask& ask) const override {
    path.remove_prefix(folder.size());
    ask.model = path.substr(0, path.find('/'));
    ask.stream = path.ends_with("-stream");
    return true;
  }

  std::string begin() const override { return R"({"messages":[)"; }
  std::string say(bool user, std::string_view text) const override {
    return message(user, R"({"text":)" + in_quotes(text) + "}");
  }
  std::string call(std::string_view id) const override {
    return message(false, R"({"toolUse":{"toolUseId":)" + in_quotes(id) + R"(,"name":)" + in_quotes(tool_name) +
                              R"(,"input":)" + std::string(tool_arguments) + "}}");
  }
  std::string give(std::string_view id, std::string_view text) const override {
    return message(
        true, R"({"toolResult":{"toolUseId":)" + in_quotes(id) + R"(,"content":[{"text":)" + in_quotes(text) + "}]}}");
  }
  std::string end(const Prompt& prompt) const override {
    std::string out = R"(],"system":[{"text":)" + in_quotes(system_text) +
                      R"(}],"inferenceConfig":{"maxTokens":256,"temperature":0.7})";
    if (prompt.calls > 0) {
      out += R"(,"toolConfig":{"tools":[{"toolSpec":{"name":)" + in_quotes(tool_name) + R"(,"description":)" +
             in_quotes(tool_description) + R"(,"inputSchema":{"json":)" + std::string(tool_schema) + "}}}]}";
    }
    return out + "}";
  }
  std::string refusal(std::string_view message) const override { return R"({"message":)" + in_quotes(message) + "}"; }

  std::string whole(const Ask&, std::string_view text) const override {
    return R"({"metrics":{"latencyMs":512},"output":{"message":{"content":[{"text":)" + in_quotes(text) +
           R"(}],"role":"assistant"}},"stopReason":"end_turn","usage":{"cacheReadInputTokens":0,)"
           R"("cacheWriteInputTokens":0,"inputTokens":)" +
           std::to_string(input_tokens) + R"(,"outputTokens":)" + std::to_string(output_tokens) +
           R"(,"serverToolUsage":{},"totalTokens":)" + std::to_string(input_tokens + output_tokens) + "}}";
  }
  bool counted(std::string_view reply) const override {
    return member(reply, R"("stopReason")") == "end_turn" && member(reply, R"("totalTokens")") == "392";
  }

 private:
  static constexpr std::string_view folder = "/model/";
  static std::string message(bool user, const std::string& block) {
    return R"({"role":")" + std::string(user ? "user" : "assistant") + R"(","content":[)" + block + "]}";
  }
};

}  // namespace bench
