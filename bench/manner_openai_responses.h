// OpenAI's Responses, whole replies. SPDX-License-Identifier: MIT
#pragma once

#include "manner.h"

namespace bench {

class OpenaiResponses final : public Manner {
 public:
  constexpr OpenaiResponses() : Manner("openai_responses", "responses-") {}
  std::string path(const Prompt&) const override { return "/v1/responses"; }
  bool takes(std::string_view path) const override { return path == "/v1/responses"; }

  std::string begin() const override { return R"({"input":[)"; }
  std::string say(bool user, std::string_view text) const override {
    return R"({"role":")" + std::string(user ? "user" : "assistant") + R"(","content":)" + in_quotes(text) + "}";
  }
  std::string call(std::string_view id) const override {
    return R"({"type":"function_call","call_id":)" + in_quotes(id) + R"(,"name":)" + in_quotes(tool_name) +
           R"(,"arguments":)" + in_quotes(inside(tool_arguments)) + "}";
  }
  std::string give(std::string_view id, std::string_view text) const override {
    return R"({"type":"function_call_output","call_id":)" + in_quotes(id) + R"(,"output":)" + in_quotes(text) + "}";
  }
  std::string end(const Prompt& prompt) const override {
    std::string out = R"(],"model":)" + in_quotes(prompt.model) + R"(,"instructions":)" + in_quotes(system_text) +
                      R"(,"max_output_tokens":256,"stream":)" + (prompt.stream ? "true" : "false") +
                      R"(,"temperature":0.7)";
    if (prompt.calls > 0) {
      out += R"(,"tools":[{"type":"function","name":)" + in_quotes(tool_name) + R"(,"description":)" +
             in_quotes(tool_description) + R"(,"parameters":)" + std::string(tool_schema) + "}]";
    }
    return out + "}";
  }

  std::string whole(const Ask& ask, std::string_view text) const override {
    return R"({"id":"resp_mock0000000000000000","object":"response","created_at":1700000000,"status":"completed",)"
           R"("background":false,"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":256,)"
           R"("max_tool_calls":null,"model":)" +
           in_quotes(ask.model) +
           R"(,"output":[{"id":"msg_mock0000000000000000","type":"message","status":"completed","content":)"
           R"([{"type":"output_text","annotations":[],"logprobs":[],"text":)" +
           in_quotes(text) +
           R"(}],"role":"assistant"}],"parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":null,)"
           R"("reasoning":{"effort":null,"summary":null},"safety_identifier":null,"service_tier":"default",)"
           R"("store":true,"temperature":0.7,"text":{"format":{"type":"text"},"verbosity":"medium"},)"
           R"("tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":1.0,"truncation":"disabled",)"
           R"("usage":{"input_tokens":)" +
           std::to_string(input_tokens) + R"(,"input_tokens_details":{"cached_tokens":0},"output_tokens":)" +
           std::to_string(output_tokens) + R"(,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":)" +
           std::to_string(input_tokens + output_tokens) + R"(},"user":null,"metadata":{}})";
  }
  bool counted(std::string_view reply) const override {
    return reply.find(R"("status":"completed")") != reply.npos && member(reply, R"("total_tokens")") == "392";
  }
};

}  // namespace bench
