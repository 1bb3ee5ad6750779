// Gemini's generateContent. SPDX-License-Identifier: MIT
#pragma once

#include "manner.h"

namespace bench {

class Gemini final : public Manner {
 public:
  constexpr Gemini() : Manner("gemini", "gemini-") {}
  std::string path(const Prompt& prompt) const override {
    return std::string(folder) + prompt.model + (prompt.stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
  }
  std::string_view key_field() const override { return "x-goog-api-key"; }
  bool takes(std::string_view path) const override { return path.starts_with(folder); }
  bool read_path(std::string_view path, Ask& ask) const override {
    path.remove_prefix(folder.size());
    ask.stream = path.find(":streamGenerateContent") != path.npos;
    ask.model = path.substr(0, path.find(':'));
    return true;
  }

  std::string begin() const override { return R"({"contents":[)"; }
  std::string say(bool user, std::string_view text) const override {
    return R"({"role":")" + std::string(user ? "user" : "model") + R"(","parts":[{"text":)" + in_quotes(text) + "}]}";
  }
  std::string call(std::string_view) const override {
    return R"({"role":"model","parts":[{"functionCall":{"name":)" + in_quotes(tool_name) + R"(,"args":)" +
           std::string(tool_arguments) + "}}]}";
  }
  std::string give(std::string_view, std::string_view text) const override {
    return R"({"role":"user","parts":[{"functionResponse":{"name":)" + in_quotes(tool_name) +
           R"(,"response":{"result":)" + in_quotes(text) + "}}}]}";
  }
  std::string end(const Prompt& prompt) const override {
    std::string out = R"(],"systemInstruction":{"parts":[{"text":)" + in_quotes(system_text) +
                      R"(}]},"generationConfig":{"maxOutputTokens":256,"temperature":0.7})";
    if (prompt.calls > 0) {
      out += R"(,"tools":[{"functionDeclarations":[{"name":)" + in_quotes(tool_name) + R"(,"description":)" +
             in_quotes(tool_description) + R"(,"parameters":)" + std::string(tool_schema) + "}]}]";
    }
    return out + "}";
  }
  std::string_view fault(std::string_view path, std::string_view, std::string_view) const override {
    const bool stream = path.find(":streamGenerateContent") != path.npos;
    return stream && !path.ends_with("alt=sse") ? "alt=sse is missing" : "";
  }
  std::string refusal(std::string_view message) const override {
    return R"({"error":{"code":400,"message":)" + in_quotes(message) + R"(,"status":"INVALID_ARGUMENT"}})";
  }

  std::string whole(const Ask& ask, std::string_view text) const override {
    return R"({"candidates":[{"content":{"parts":[{"text":)" + in_quotes(text) +
           R"(}],"role":"model"},"finishReason":"STOP","index":0}],)" + usage() + R"(,"modelVersion":)" +
           in_quotes(ask.model) + R"(,"responseId":"mock0000000000000000"})";
  }
  bool counted(std::string_view reply) const override {
    return member(reply, R"("finishReason")") == "STOP" && member(reply, R"("totalTokenCount")") == "392";
  }

  bool streams() const override { return true; }
  void event(std::string& out, const Ask& ask, bool, bool last) const override {
    out.append(R"(data: {"candidates":[{"content":{"parts":[{"text":")");
    append_text(out, ask);
    out.append(R"("}],"role":"model"},)").append(last ? R"("finishReason":"STOP",)" : "").append(R"("index":0}],)");
    out.append(usage()).append(R"(,"modelVersion":")").append(ask.model);
    out.append(R"(","responseId":"mock0000000000000000"})").append("\r\n\r\n");
  }
  void watch(std::string_view line, Seen& seen) const override {
    seen.finished = seen.ended = member(line, R"("finishReason")") == "STOP";
  }

 private:
  static constexpr std::string_view folder = "/v1beta/models/";
  static std::string usage() {
    return R"("usageMetadata":{"promptTokenCount":)" + std::to_string(input_tokens) + R"(,"candidatesTokenCount":)" +
           std::to_string(output_tokens) + R"(,"totalTokenCount":)" + std::to_string(input_tokens + output_tokens) +
           "}";
  }
};

}  // namespace bench
