// SPDX-License-Identifier: MIT
#include "dialects/pointer.h"

#include <array>
#include <string_view>

#include "dialects/spare.h"

namespace sluice {
namespace {

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

std::string turn_words(const ChatRequest& request, std::size_t turn) {
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

// Of Bedrock: cache marks are blocks of their own.
std::size_t marks_before(const Turn& turn, std::size_t part) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < part; ++i) count += turn.parts[i].cache.has_value() ? 1 : 0;
  return count;
}

std::string part_words(const ChatRequest& request, std::size_t turn, std::size_t part) {
  const Turn& t = request.turns[turn];
  std::string base = turn_words(request, turn);
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

// A result keeps its text in `response` and its media in `parts`.
std::string gemini_result_part(const std::string& base, const ToolResult* result, std::size_t inner) {
  std::size_t before = 0;
  for (std::size_t i = 0; result != nullptr && i < inner; ++i) before += result->parts[i].as<Text>() == nullptr;
  const bool text = result != nullptr && result->parts[inner].as<Text>() != nullptr;
  return text ? base + "/functionResponse/response" : numbered(base + "/functionResponse/parts", before);
}

std::string result_words(const ChatRequest& request, std::size_t turn, std::size_t part, std::size_t inner) {
  std::string base = part_words(request, turn, part);
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

std::string tool_words(const ChatRequest& request, std::size_t tool) {
  const std::string& place = request.tools[tool].place.text;
  return place.empty() ? numbered("/tools", tool) : place;
}

std::string schema_words(const ChatRequest& request, std::size_t tool) {
  std::string at = tool_words(request, tool);
  switch (request.origin) {
    case DialectId::openai_chat:
    case DialectId::openai_completions:
    case DialectId::cohere: return at + "/function/parameters";
    case DialectId::openai_responses: return at + "/parameters";
    case DialectId::anthropic: return at + "/input_schema";
    case DialectId::bedrock_converse: return at + "/toolSpec/inputSchema/json";
    case DialectId::gemini:
      return at + (request.tools[tool].schema_native.text.empty() ? "/parametersJsonSchema" : "/parameters");
  }
  return at;
}

std::string choice_words(const Reply& reply, std::size_t choice) {
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

std::string message_words(const Reply& reply, std::size_t choice) {
  switch (reply.origin) {
    case DialectId::openai_chat: return choice_words(reply, choice) + "/message";
    case DialectId::gemini: return choice_words(reply, choice) + "/content";
    case DialectId::openai_completions: return choice_words(reply, choice);
    case DialectId::bedrock_converse: return "/output/message";
    case DialectId::cohere: return "/message";
    case DialectId::openai_responses:
    case DialectId::anthropic: return "";
  }
  return "";
}

std::string answer_words(const Reply& reply, std::size_t choice, std::size_t part) {
  std::string base = message_words(reply, choice);
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

std::string citation_words(const Reply& reply, std::size_t choice, std::size_t part) {
  switch (reply.origin) {
    case DialectId::openai_chat: return message_words(reply, choice) + "/annotations";
    case DialectId::openai_responses: return answer_words(reply, choice, part) + "/annotations";
    case DialectId::gemini: return choice_words(reply, choice) + "/groundingMetadata";
    case DialectId::cohere: return message_words(reply, choice) + "/citations";
    case DialectId::openai_completions:
    case DialectId::anthropic: return answer_words(reply, choice, part) + "/citations";
    case DialectId::bedrock_converse: return answer_words(reply, choice, part) + "/citationsContent/citations";
  }
  return {};
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

std::string Pointer::text() const {
  const auto& [a, b, c] = index_;
  switch (place_) {
    case Place::said: return text_;
    case Place::turn: return turn_words(*request_, a);
    case Place::part: return part_words(*request_, a, b);
    case Place::result_part: return result_words(*request_, a, b, c);
    case Place::tool: return tool_words(*request_, a);
    case Place::schema: return schema_words(*request_, a);
    case Place::choice: return choice_words(*reply_, a);
    case Place::message: return message_words(*reply_, a);
    case Place::answer: return answer_words(*reply_, a, b);
    case Place::citations: return citation_words(*reply_, a, b);
  }
  return {};
}

Pointer pointer_to_turn(const ChatRequest& request, std::size_t turn) {
  return {request, Pointer::Place::turn, turn};
}

Pointer pointer_to_part(const ChatRequest& request, std::size_t turn, std::size_t part) {
  return {request, Pointer::Place::part, turn, part};
}

Pointer pointer_to_result_part(const ChatRequest& request, std::size_t turn, std::size_t part, std::size_t inner) {
  return {request, Pointer::Place::result_part, turn, part, inner};
}

Pointer pointer_to_tool(const ChatRequest& request, std::size_t tool) {
  return {request, Pointer::Place::tool, tool};
}

Pointer pointer_to_schema(const ChatRequest& request, std::size_t tool) {
  return {request, Pointer::Place::schema, tool};
}

Pointer pointer_to_choice(const Reply& reply, std::size_t choice) {
  return {reply, Pointer::Place::choice, choice};
}

Pointer pointer_to_message(const Reply& reply, std::size_t choice) {
  return {reply, Pointer::Place::message, choice};
}

Pointer pointer_to_part(const Reply& reply, std::size_t choice, std::size_t part) {
  return {reply, Pointer::Place::answer, choice, part};
}

Pointer pointer_to_citations(const Reply& reply, std::size_t choice, std::size_t part) {
  return {reply, Pointer::Place::citations, choice, part};
}

std::string pointer_to_seal(const ChatRequest& request, std::size_t turn, std::size_t part) {
  const Part& p = request.turns[turn].parts[part];
  std::string base = part_words(request, turn, part);
  switch (request.origin) {
    case DialectId::openai_chat:
      if (p.as<ToolCall>()) return base + "/extra_content";
      return p.as<Text>() ? turn_words(request, turn) + "/reasoning_details" : base;
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
  if (request.origin == DialectId::openai_chat) return turn_words(request, turn) + "/annotations";
  if (request.origin == DialectId::cohere) return turn_words(request, turn) + "/citations";
  const std::string base = part_words(request, turn, part);
  if (request.origin == DialectId::bedrock_converse) return base + "/citationsContent/citations";
  return base + (request.origin == DialectId::openai_responses ? "/annotations" : "/citations");
}

std::string pointer_to_strict(const ChatRequest& request, std::size_t tool) {
  if (request.origin == DialectId::cohere) return "/strict_tools";
  if (request.origin == DialectId::bedrock_converse) return tool_words(request, tool) + "/toolSpec/strict";
  const bool chat = request.origin == DialectId::openai_chat && request.tools[tool].kind == ToolKind::function;
  return tool_words(request, tool) + (chat ? "/function/strict" : "/strict");
}

std::string pointer_to_logprobs(const Reply& reply, std::size_t choice) {
  if (reply.origin == DialectId::gemini) return choice_words(reply, choice) + "/logprobsResult";
  if (reply.origin != DialectId::openai_responses) return choice_words(reply, choice) + "/logprobs";
  const auto& parts = reply.choices[choice].parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].as<Text>()) return answer_words(reply, choice, i) + "/logprobs";
  }
  return "/output";
}

std::string pointer_to_stop_sequence(const Reply& reply, std::size_t choice) {
  if (reply.origin == DialectId::bedrock_converse) return "/additionalModelResponseFields/stop_sequence";
  return choice_words(reply, choice) + "/stop_sequence";
}

std::string pointer_to_stop_detail(const Reply& reply, std::size_t choice) {
  const std::string base = choice_words(reply, choice);
  if (reply.origin == DialectId::openai_responses) return "/incomplete_details";
  if (reply.origin != DialectId::gemini) return base + "/stop_details";
  // A blocked prompt has no candidate: its object of feedback is the detail.
  return reply.choices[choice].stop.detail.starts_with('{') ? "/promptFeedback" : base + "/finishMessage";
}

std::string pointer_to_thought_tokens(const Reply& reply) {
  const auto told = [&](std::string_view name) { return reply.usage.raw.contains(name); };
  switch (reply.usage.origin) {
    case DialectId::anthropic: return "/usage/output_tokens_details/thinking_tokens";
    case DialectId::openai_responses: return "/usage/output_tokens_details/reasoning_tokens";
    case DialectId::gemini: return "/usageMetadata/thoughtsTokenCount";
    case DialectId::cohere: return "/usage/tokens/reasoning_tokens";
    case DialectId::openai_chat:
    case DialectId::openai_completions:
      return told("completion_tokens_details") ? "/usage/completion_tokens_details/reasoning_tokens"
                                               : "/usage/reasoning_tokens";
    case DialectId::bedrock_converse: return "/usage";
  }
  return {};
}

}  // namespace sluice
