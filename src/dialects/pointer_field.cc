// Where the settings of a request stand, in the form of its origin. SPDX-License-Identifier: MIT
#include <string>
#include <string_view>

#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice {
namespace {

struct FieldRow {
  std::string_view chat, responses, anthropic, gemini;
};

// Empty: that dialect has no such field, so nothing read from it can be there.
constexpr FieldRow row(Field field) {
  switch (field) {
    case Field::model: return {"/model", "/model", "/model", ""};
    case Field::system: return {"/messages", "/instructions", "/system", "/systemInstruction"};
    case Field::max_output:
      return {"/max_completion_tokens", "/max_output_tokens", "/max_tokens", "/generationConfig/maxOutputTokens"};
    case Field::temperature: return {"/temperature", "/temperature", "/temperature", "/generationConfig/temperature"};
    case Field::top_p: return {"/top_p", "/top_p", "/top_p", "/generationConfig/topP"};
    case Field::top_k: return {"/top_k", "/top_k", "/top_k", "/generationConfig/topK"};
    case Field::min_p: return {"/min_p", "", "", ""};
    case Field::presence_penalty: return {"/presence_penalty", "", "", "/generationConfig/presencePenalty"};
    case Field::frequency_penalty: return {"/frequency_penalty", "", "", "/generationConfig/frequencyPenalty"};
    case Field::seed: return {"/seed", "", "", "/generationConfig/seed"};
    case Field::logit_bias: return {"/logit_bias", "", "", ""};
    case Field::logprobs: return {"/logprobs", "/include", "", "/generationConfig/responseLogprobs"};
    case Field::top_logprobs: return {"/top_logprobs", "/top_logprobs", "", "/generationConfig/logprobs"};
    case Field::n: return {"/n", "", "", "/generationConfig/candidateCount"};
    case Field::stop: return {"/stop", "", "/stop_sequences", "/generationConfig/stopSequences"};
    case Field::tools: return {"/tools", "/tools", "/tools", "/tools"};
    case Field::tool_choice: return {"/tool_choice", "/tool_choice", "/tool_choice", "/toolConfig"};
    case Field::parallel_tools:
      return {"/parallel_tool_calls", "/parallel_tool_calls", "/tool_choice/disable_parallel_tool_use", ""};
    case Field::format: return {"/response_format", "/text/format", "/output_config/format", "/generationConfig"};
    case Field::reasoning: return {"", "/reasoning", "/thinking", "/generationConfig/thinkingConfig"};
    case Field::effort:
      return {"/reasoning_effort", "/reasoning/effort", "/output_config/effort",
              "/generationConfig/thinkingConfig/thinkingLevel"};
    case Field::budget:
      return {"/reasoning/max_tokens", "", "/thinking/budget_tokens",
              "/generationConfig/thinkingConfig/thinkingBudget"};
    case Field::display:
      return {"/reasoning/exclude", "/reasoning/summary", "/thinking/display",
              "/generationConfig/thinkingConfig/includeThoughts"};
    case Field::cache_key: return {"/prompt_cache_key", "/prompt_cache_key", "", ""};
    case Field::cache_auto: return {"/cache_control", "/prompt_cache_options", "/cache_control", ""};
    case Field::metadata: return {"/metadata", "/metadata", "/metadata", "/labels"};
    case Field::user: return {"/user", "/user", "/metadata/user_id", "/labels"};
    case Field::service_tier: return {"/service_tier", "/service_tier", "/service_tier", "/serviceTier"};
    case Field::verbosity: return {"/verbosity", "/text/verbosity", "", ""};
    case Field::modalities: return {"/modalities", "", "", "/generationConfig/responseModalities"};
    case Field::safety: return {"", "", "", "/safetySettings"};
    case Field::usage_in_stream: return {"/stream_options/include_usage", "", "", ""};
  }
  return {};
}

// Cohere's own names; the others are as in chat.
constexpr std::string_view cohere_field(Field field) {
  if (field == Field::top_p) return "/p";
  if (field == Field::top_k) return "/k";
  if (field == Field::max_output) return "/max_tokens";
  if (field == Field::stop) return "/stop_sequences";
  if (field == Field::budget) return "/thinking/token_budget";
  if (field == Field::reasoning || field == Field::effort || field == Field::display) return "/thinking";
  return row(field).chat;
}

// Bedrock keeps what only some models know in one object, each under the name that its vendor gave it: where it stood
// is remembered.
std::string bedrock_field(const ChatRequest& request, Field field) {
  constexpr DialectId bedrock = DialectId::bedrock_converse;
  const Extras& thinking = request.reasoning.extras;
  switch (field) {
    case Field::system: return "/system";
    case Field::max_output: return "/inferenceConfig/maxTokens";
    case Field::temperature: return "/inferenceConfig/temperature";
    case Field::top_p: return "/inferenceConfig/topP";
    case Field::stop: return "/inferenceConfig/stopSequences";
    case Field::top_k: return std::string(remembered(request.extras, bedrock, "top_k"));
    case Field::tools: return "/toolConfig/tools";
    case Field::tool_choice: return "/toolConfig/toolChoice";
    case Field::parallel_tools: return "/additionalModelRequestFields/tool_choice";
    case Field::format: return "/outputConfig/textFormat/structure/jsonSchema";
    case Field::effort:
      if (const auto place = remembered(thinking, bedrock, "effort"); !place.empty()) return std::string(place);
      [[fallthrough]];
    case Field::reasoning:
    case Field::budget:
    case Field::display: return std::string(remembered(thinking, bedrock, "place"));
    case Field::metadata: return "/requestMetadata";
    case Field::service_tier: return "/serviceTier";
    case Field::model:
    case Field::min_p:
    case Field::presence_penalty:
    case Field::frequency_penalty:
    case Field::seed:
    case Field::logit_bias:
    case Field::logprobs:
    case Field::top_logprobs:
    case Field::n:
    case Field::cache_key:
    case Field::cache_auto:
    case Field::user:
    case Field::verbosity:
    case Field::modalities:
    case Field::safety:
    case Field::usage_in_stream: return {};
  }
  return {};
}

// The old text API's own names; the others are as in chat.
constexpr std::string_view completions_field(Field field) {
  if (field == Field::max_output) return "/max_tokens";
  if (field == Field::top_logprobs) return "/logprobs";
  if (field == Field::system) return "/prompt";
  return row(field).chat;
}

}  // namespace

std::string pointer_to(const ChatRequest& request, Field field) {
  const FieldRow names = row(field);
  if (field == Field::max_output && !request.max_output_field.empty()) return '/' + request.max_output_field;
  // Its older name.
  if (field == Field::format && request.format && request.origin == DialectId::anthropic &&
      !remembered(request.format->extras, DialectId::anthropic, "output_format").empty()) {
    return "/output_format";
  }
  const bool two_names = request.origin == DialectId::openai_chat || request.origin == DialectId::openai_responses;
  if (field == Field::user && two_names && !request.user_field.empty()) {
    return '/' + request.user_field;
  }
  switch (request.origin) {
    case DialectId::openai_chat: return std::string(names.chat);
    case DialectId::openai_completions: return std::string(completions_field(field));
    case DialectId::cohere: return std::string(cohere_field(field));
    case DialectId::openai_responses: return std::string(names.responses);
    case DialectId::anthropic: return std::string(names.anthropic);
    case DialectId::bedrock_converse: return bedrock_field(request, field);
    case DialectId::gemini: return std::string(names.gemini);
  }
  return {};
}

}  // namespace sluice
