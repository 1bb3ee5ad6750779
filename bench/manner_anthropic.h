// Anthropic's Messages. SPDX-License-Identifier: MIT
#pragma once

#include "manner.h"

namespace bench {

class Anthropic final : public Manner {
 public:
  constexpr Anthropic() : Manner("anthropic", "claude-") {}
  std::string path(const Prompt&) const override { return "/v1/messages"; }
  std::string_view key_field() const override { return "x-api-key"; }
  std::string_view more_fields() const override { return "anthropic-version: 2023-06-01\r\n"; }
  bool takes(std::string_view path) const override { return path.starts_with("/v1/messages"); }

  std::string begin() const override { return R"({"messages":[)"; }
  std::string say(bool user, std::string_view text) const override {
    return R"({"role":")" + std::string(user ? "user" : "assistant") + R"(","content":)" + in_quotes(text) + "}";
  }
  std::string call(std::string_view id) const override {
    return R"({"role":"assistant","content":[{"type":"tool_use","id":)" + in_quotes(id) + R"(,"name":)" +
           in_quotes(tool_name) + R"(,"input":)" + std::string(tool_arguments) + "}]}";
  }
  std::string give(std::string_view id, std::string_view text) const override {
    return R"({"role":"user","content":[{"type":"tool_result","tool_use_id":)" + in_quotes(id) + R"(,"content":)" +
           in_quotes(text) + "}]}";
  }
  std::string end(const Prompt& prompt) const override {
    std::string out = R"(],"model":)" + in_quotes(prompt.model) + R"(,"max_tokens":256,"stream":)" +
                      (prompt.stream ? "true" : "false") + R"(,"system":)" + in_quotes(system_text);
    if (prompt.calls > 0) {
      out += R"(,"tools":[{"name":)" + in_quotes(tool_name) + R"(,"description":)" + in_quotes(tool_description) +
             R"(,"input_schema":)" + std::string(tool_schema) + "}]";
    }
    return out + "}";
  }
  std::string_view fault(std::string_view, std::string_view head, std::string_view body) const override {
    if (head.find("anthropic-version") == head.npos) return "anthropic-version is missing";
    return body.find(R"("max_tokens")") == body.npos ? "max_tokens is missing" : "";
  }
  std::string refusal(std::string_view message) const override {
    return R"({"type":"error","error":{"type":"invalid_request_error","message":)" + in_quotes(message) + "}}";
  }

  std::string whole(const Ask& ask, std::string_view text) const override {
    return R"({"model":)" + in_quotes(ask.model) +
           R"(,"id":"msg_mock0000000000000000","type":"message","role":"assistant",)"
           R"("content":[{"type":"text","text":)" +
           in_quotes(text) + R"(}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":)" +
           std::to_string(input_tokens) + R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,)" +
           R"("output_tokens":)" + std::to_string(output_tokens) + R"(,"service_tier":"standard"}})";
  }
  bool counted(std::string_view reply) const override {
    return member(reply, R"("stop_reason")") == "end_turn" && member(reply, R"("output_tokens")") == "180";
  }

  bool streams() const override { return true; }
  void event(std::string& out, const Ask& ask, bool first, bool last) const override {
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
  void watch(std::string_view line, Seen& seen) const override {
    seen.finished = seen.finished || member(line, R"("stop_reason")") == "end_turn";
    seen.ended = line.find(R"("message_stop")") != line.npos;
  }
};

}  // namespace bench
