// SPDX-License-Identifier: MIT
#include "dialects/pointer.h"

#include <array>
#include <string_view>

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

std::string numbered(std::string_view base, std::size_t index) {
  return std::string(base) + '/' + std::to_string(index);
}

bool has_system_field(DialectId origin) {
  switch (origin) {
    case DialectId::anthropic:
    case DialectId::gemini:
    case DialectId::bedrock_converse: return true;
    case DialectId::openai_chat:
    case DialectId::openai_responses:
    case DialectId::openai_completions:
    case DialectId::cohere: return false;
  }
  return false;
}

std::string_view list_name(DialectId origin) {
  switch (origin) {
    case DialectId::openai_responses: return "/input";
    case DialectId::gemini: return "/contents";
    case DialectId::openai_completions: return "/prompt";
    case DialectId::openai_chat:
    case DialectId::anthropic:
    case DialectId::bedrock_converse:
    case DialectId::cohere: return "/messages";
  }
  return "/messages";
}

// A chat message keeps reasoning, content, refusal and calls in members of their own.
std::string chat_part(const std::vector<Part>& parts, bool plain_string, std::size_t part) {
  const auto place = [](const Part& p) -> std::string_view {
    if (p.as<ToolCall>()) return "/tool_calls";
    if (!remembered(p.extras, DialectId::openai_chat, "detail").empty()) return "/reasoning_details";
    if (!remembered(p.extras, DialectId::openai_chat, "member").empty()) {
      if (p.as<Refusal>()) return "/refusal";
      return p.as<Media>() && p.as<Media>()->kind == MediaKind::audio ? "/audio" : "/images";
    }
    return p.as<Reasoning>() ? "/reasoning_content" : "/content";
  };
  const std::string_view here = place(parts[part]);
  const bool alone = here == "/reasoning_content" || here == "/refusal" || here == "/audio" ||
                     (here == "/content" && (plain_string || parts[part].as<ToolResult>()));
  if (alone) return std::string(here);
  std::size_t index = 0;
  for (std::size_t i = 0; i < part; ++i) index += place(parts[i]) == here ? 1 : 0;
  return numbered(here, index);
}

// A Cohere message keeps content, plan and calls in members of their own; documents stand beside the messages.
std::string cohere_part(const std::string& message, const std::vector<Part>& parts, bool plain_string,
                        std::size_t part) {
  const auto place = [](const Part& p) -> std::string_view {
    if (p.as<ToolCall>()) return "/tool_calls";
    if (!remembered(p.extras, DialectId::cohere, "plan").empty()) return "/tool_plan";
    return p.as<Media>() && !remembered(p.extras, DialectId::cohere, "document").empty() ? "/documents" : "/content";
  };
  const std::string_view here = place(parts[part]);
  if (here == "/tool_plan") return message + "/tool_plan";
  if (here == "/content" && (plain_string || parts[part].as<ToolResult>())) return message + "/content";
  std::size_t index = 0;
  for (std::size_t i = 0; i < part; ++i) index += place(parts[i]) == here ? 1 : 0;
  return numbered(here == "/documents" ? std::string(here) : message + std::string(here), index);
}

}  // namespace

namespace {

// Responses: one turn is several items of `input`, one item several parts. They remember where they stood.
std::string_view item_place(const Extras& extras) {
  return remembered(extras, DialectId::openai_responses, "at");
}

std::string responses_item(std::string_view list, std::string_view place) {
  return std::string(list) + '/' + std::string(place.substr(0, place.find('/')));
}

std::string responses_turn(const Turn& turn, std::size_t index) {
  constexpr DialectId responses = DialectId::openai_responses;
  if (!remembered(turn.extras, responses, "instructions").empty()) return "/instructions";
  if (!remembered(turn.extras, responses, "string").empty()) return "/input";
  const std::string_view at = item_place(turn.extras);
  return at.empty() ? numbered("/input", index) : responses_item("/input", at);
}

}  // namespace

std::size_t leading_system(const ChatRequest& request) {
  std::size_t count = 0;
  while (count < request.turns.size() &&
         (request.turns[count].role == Role::system || request.turns[count].role == Role::developer)) {
    ++count;
  }
  return count;
}

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

std::string pointer_to_turn(const ChatRequest& request, std::size_t turn) {
  if (request.origin == DialectId::openai_responses) return responses_turn(request.turns[turn], turn);
  if (request.origin == DialectId::openai_completions && request.turns[turn].plain_string) return "/prompt";
  if (!has_system_field(request.origin)) return numbered(list_name(request.origin), turn);
  const std::size_t leading = leading_system(request);
  if (request.origin == DialectId::gemini) {
    const std::string_view at = remembered(request.turns[turn].extras, DialectId::gemini, "at");
    if (!at.empty()) return "/contents/" + std::string(at);
  }
  if (turn >= leading) return numbered(list_name(request.origin), turn - leading);
  return request.origin == DialectId::gemini ? "/systemInstruction" : "/system";
}

namespace {

// Of Bedrock: cache marks are blocks of their own.
std::size_t marks_before(const Turn& turn, std::size_t part) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < part; ++i) count += turn.parts[i].cache.has_value() ? 1 : 0;
  return count;
}

}  // namespace

std::string pointer_to_part(const ChatRequest& request, std::size_t turn, std::size_t part) {
  const Turn& t = request.turns[turn];
  const std::string base = pointer_to_turn(request, turn);
  if (request.origin == DialectId::openai_chat) return base + chat_part(t.parts, t.plain_string, part);
  if (request.origin == DialectId::openai_responses) {
    const std::string_view at = item_place(t.parts[part].extras);
    return at.empty() ? base : "/input/" + std::string(at);
  }
  if (request.origin == DialectId::cohere) return cohere_part(base, t.parts, t.plain_string, part);
  if (request.origin == DialectId::openai_completions) return base;
  const bool gemini = request.origin == DialectId::gemini;
  if (request.origin == DialectId::bedrock_converse) {
    return numbered(turn < leading_system(request) ? base : base + "/content", part + marks_before(t, part));
  }
  if (has_system_field(request.origin) && turn < leading_system(request)) {
    if (t.plain_string) return base;
    std::size_t index = part;
    for (std::size_t i = 0; i < turn; ++i) index += request.turns[i].parts.size();
    return numbered(gemini ? base + "/parts" : base, index);
  }
  if (t.plain_string) return base + "/content";
  if (const auto at = remembered(t.parts[part].extras, DialectId::gemini, "at"); gemini && !at.empty()) {
    return "/contents/" + std::string(at);
  }
  return numbered(base + (gemini ? "/parts" : "/content"), part);
}

namespace {

// A result keeps its text in `response` and its media in `parts`.
std::string gemini_result_part(const std::string& base, const ToolResult* result, std::size_t inner) {
  std::size_t before = 0;
  for (std::size_t i = 0; result != nullptr && i < inner; ++i) before += result->parts[i].as<Text>() == nullptr;
  const bool text = result != nullptr && result->parts[inner].as<Text>() != nullptr;
  return text ? base + "/functionResponse/response" : numbered(base + "/functionResponse/parts", before);
}

}  // namespace

std::string pointer_to_result_part(const ChatRequest& request, std::size_t turn, std::size_t part, std::size_t inner) {
  const std::string base = pointer_to_part(request, turn, part);
  const auto* result = request.turns[turn].parts[part].as<ToolResult>();
  const bool plain = result != nullptr && result->plain_string;
  switch (request.origin) {
    case DialectId::openai_chat:
    case DialectId::openai_completions:
    case DialectId::cohere: return plain ? base : numbered(base, inner);
    case DialectId::openai_responses: return plain ? base + "/output" : numbered(base + "/output", inner);
    case DialectId::anthropic: return plain ? base + "/content" : numbered(base + "/content", inner);
    case DialectId::gemini: return gemini_result_part(base, result, inner);
    case DialectId::bedrock_converse: return numbered(base + "/toolResult/content", inner);
  }
  return base;
}

std::string pointer_to_seal(const ChatRequest& request, std::size_t turn, std::size_t part) {
  const Part& p = request.turns[turn].parts[part];
  const std::string base = pointer_to_part(request, turn, part);
  switch (request.origin) {
    case DialectId::openai_chat:
      if (p.as<ToolCall>()) return base + "/extra_content";
      return p.as<Text>() ? pointer_to_turn(request, turn) + "/reasoning_details" : base;
    case DialectId::openai_responses: return responses_item("/input", item_place(p.extras)) + "/encrypted_content";
    case DialectId::gemini: return base + "/thoughtSignature";
    case DialectId::anthropic:
      return base + (p.as<Reasoning>() && p.as<Reasoning>()->redacted ? "/data" : "/signature");
    case DialectId::cohere: return base + "/signature";
    case DialectId::bedrock_converse: {
      const bool redacted = p.as<Reasoning>() && p.as<Reasoning>()->redacted;
      return base + (redacted ? "/reasoningContent/redactedContent" : "/reasoningContent/reasoningText/signature");
    }
    case DialectId::openai_completions: return base;
  }
  return base;
}

std::string pointer_to_citations(const ChatRequest& request, std::size_t turn, std::size_t part) {
  if (request.origin == DialectId::openai_chat) return pointer_to_turn(request, turn) + "/annotations";
  if (request.origin == DialectId::cohere) return pointer_to_turn(request, turn) + "/citations";
  const std::string base = pointer_to_part(request, turn, part);
  if (request.origin == DialectId::bedrock_converse) return base + "/citationsContent/citations";
  return base + (request.origin == DialectId::openai_responses ? "/annotations" : "/citations");
}

std::string pointer_to_tool(const ChatRequest& request, std::size_t tool) {
  const std::string& place = request.tools[tool].place.text;
  return place.empty() ? numbered("/tools", tool) : place;
}

std::string pointer_to_strict(const ChatRequest& request, std::size_t tool) {
  if (request.origin == DialectId::cohere) return "/strict_tools";
  if (request.origin == DialectId::bedrock_converse) return pointer_to_tool(request, tool) + "/toolSpec/strict";
  const bool chat = request.origin == DialectId::openai_chat && request.tools[tool].kind == ToolKind::function;
  return pointer_to_tool(request, tool) + (chat ? "/function/strict" : "/strict");
}

std::string pointer_to_choice(const Reply& reply, std::size_t choice) {
  switch (reply.origin) {
    case DialectId::openai_chat:
    case DialectId::openai_completions: return numbered("/choices", choice);
    case DialectId::gemini: return numbered("/candidates", choice);
    case DialectId::openai_responses:
    case DialectId::anthropic:
    case DialectId::bedrock_converse:
    case DialectId::cohere: return "";
  }
  return "";
}

std::string pointer_to_message(const Reply& reply, std::size_t choice) {
  switch (reply.origin) {
    case DialectId::openai_chat: return pointer_to_choice(reply, choice) + "/message";
    case DialectId::gemini: return pointer_to_choice(reply, choice) + "/content";
    case DialectId::openai_completions: return pointer_to_choice(reply, choice);
    case DialectId::bedrock_converse: return "/output/message";
    case DialectId::cohere: return "/message";
    case DialectId::openai_responses:
    case DialectId::anthropic: return "";
  }
  return "";
}

std::string pointer_to_part(const Reply& reply, std::size_t choice, std::size_t part) {
  const std::string base = pointer_to_message(reply, choice);
  switch (reply.origin) {
    case DialectId::openai_chat: return base + chat_part(reply.choices[choice].parts, true, part);
    case DialectId::gemini: return numbered(base + "/parts", part);
    case DialectId::openai_completions: return base + "/text";
    case DialectId::openai_responses: {
      const std::string_view at = item_place(reply.choices[choice].parts[part].extras);
      return at.empty() ? numbered("/output", part) : "/output/" + std::string(at);
    }
    case DialectId::cohere: return cohere_part(base, reply.choices[choice].parts, false, part);
    case DialectId::anthropic:
    case DialectId::bedrock_converse: return numbered(base + "/content", part);
  }
  return base;
}

std::string pointer_to_citations(const Reply& reply, std::size_t choice, std::size_t part) {
  switch (reply.origin) {
    case DialectId::openai_chat: return pointer_to_message(reply, choice) + "/annotations";
    case DialectId::openai_responses: return pointer_to_part(reply, choice, part) + "/annotations";
    case DialectId::gemini: return pointer_to_choice(reply, choice) + "/groundingMetadata";
    case DialectId::cohere: return pointer_to_message(reply, choice) + "/citations";
    case DialectId::openai_completions:
    case DialectId::anthropic: return pointer_to_part(reply, choice, part) + "/citations";
    case DialectId::bedrock_converse: return pointer_to_part(reply, choice, part) + "/citationsContent/citations";
  }
  return {};
}

std::string pointer_to_logprobs(const Reply& reply, std::size_t choice) {
  if (reply.origin == DialectId::gemini) return pointer_to_choice(reply, choice) + "/logprobsResult";
  if (reply.origin != DialectId::openai_responses) return pointer_to_choice(reply, choice) + "/logprobs";
  const auto& parts = reply.choices[choice].parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].as<Text>()) return pointer_to_part(reply, choice, i) + "/logprobs";
  }
  return "/output";
}

std::string pointer_to_stop_sequence(const Reply& reply, std::size_t choice) {
  if (reply.origin == DialectId::bedrock_converse) return "/additionalModelResponseFields/stop_sequence";
  return pointer_to_choice(reply, choice) + "/stop_sequence";
}

std::string pointer_to_stop_detail(const Reply& reply, std::size_t choice) {
  const std::string base = pointer_to_choice(reply, choice);
  if (reply.origin == DialectId::openai_responses) return "/incomplete_details";
  if (reply.origin != DialectId::gemini) return base + "/stop_details";
  // A blocked prompt has no candidate: its object of feedback is the detail.
  return reply.choices[choice].stop.detail.starts_with('{') ? "/promptFeedback" : base + "/finishMessage";
}

}  // namespace sluice
