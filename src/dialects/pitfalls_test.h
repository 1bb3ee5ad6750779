// Conversations and answers on which gateways have failed (docs/pitfalls.md), in the model's words, and the vendors
// that they go to. Test code only. SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialects/laws.h"
#include "dialects/registry.h"
#include "model/fold.h"

namespace sluice::pitfalls {

// Who is asked in each dialect: its own vendor, and a model that takes tools.
struct Vendor {
  DialectId dialect;
  std::string_view provider, model;
};
inline std::vector<Vendor> vendors() {
  std::vector<Vendor> out;
  for (const Vendor& v : {Vendor{DialectId::openai_chat, "openai", "gpt-4o"},
                          {DialectId::openai_responses, "openai", "gpt-5"},
                          {DialectId::anthropic, "anthropic", "claude-sonnet-4-5"},
                          {DialectId::gemini, "gemini", "gemini-3-pro-preview"},
                          {DialectId::bedrock_converse, "bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"},
                          {DialectId::cohere, "cohere", "command-a-03-2025"}}) {
    if (dialect(v.dialect) != nullptr) out.push_back(v);
  }
  return out;
}

// Every dialect of conversations: not openai_completions, whose prompts and answers are text alone.
inline std::vector<const Dialect*> conversations() {
  std::vector<const Dialect*> out(dialects().begin(), dialects().end());
  std::erase_if(out, [](const Dialect* one) { return one->id() == DialectId::openai_completions; });
  return out;
}

inline Question question() {
  return {.model = "asked-model", .exchange_id = "exchange-1", .unix_seconds = 1700000000};
}

// --- what a client says
// -------------------------------------------------------------------------------------------------

inline Part text(std::string words) {
  return {.body = Text{.text = std::move(words)}};
}
inline Part thought(std::string words) {
  return {.body = Reasoning{.text = std::move(words)}};
}
inline Part call(std::string id, std::string name, std::string arguments = "{}") {
  return {.body = ToolCall{.id = std::move(id), .name = std::move(name), .arguments = std::move(arguments)}};
}
inline Part result(std::string id, std::string words, bool error = false) {
  return {.body = ToolResult{
              .call_id = std::move(id), .parts = {text(std::move(words))}, .is_error = error, .plain_string = true}};
}
inline Part sealed(Part part, DialectId from, std::string raw) {
  part.seal = Seal{.dialect = from, .raw = std::move(raw)};
  return part;
}
inline Turn says(Role role, std::vector<Part> parts) {
  return {.role = role, .parts = std::move(parts)};
}
inline ChatRequest asks(std::vector<Turn> turns) {
  ChatRequest out{.model = "asked-model", .turns = std::move(turns)};
  out.max_output = 1000;
  out.max_output_field = "max_tokens";
  return out;
}
// The same from a client of another dialect than that vendor's: in its own, a client's words are its own affair.
inline ChatRequest foreign(ChatRequest request, const Vendor& to) {
  request.origin = to.dialect == DialectId::openai_chat ? DialectId::anthropic : DialectId::openai_chat;
  return request;
}
inline Tool tool(std::string name, std::string schema = R"({"type":"object","properties":{"a":{"type":"number"}}})") {
  return {.name = std::move(name), .schema = std::move(schema)};
}

// The request as that vendor gets it.
struct Sent {
  Notes notes;  // first: the others are made with it
  Result<WireRequest> outcome;
  json::Document doc;
  json::Value root;

  Sent(const ChatRequest& request, const Vendor& to)
      : outcome(dialect(to.dialect)->write_request(request, {.model = to.model, .provider = to.provider}, notes)) {
    if (outcome) root = doc.parse(outcome->body).value_or(json::Value());
  }
  [[nodiscard]] std::string_view body() const {
    return outcome ? std::string_view(outcome->body) : std::string_view(outcome.error()->message);
  }
  [[nodiscard]] bool noted(std::string_view pointer) const {
    return std::ranges::any_of(notes.all(), [&](const Note& n) { return n.pointer.starts_with(pointer); });
  }
  // The messages, whatever their name.
  [[nodiscard]] json::Value messages() const {
    for (const std::string_view name : {"messages", "input", "contents"}) {
      if (root[name]) return root[name];
    }
    return {};
  }
};

// The request as a gateway behind that vendor's door would understand it.
inline Result<ChatRequest> heard(const Sent& sent, const Vendor& to) {
  Notes notes;
  const HeaderView version{"anthropic-version", "2023-06-01"};
  return dialect(to.dialect)
      ->read_request({.path_model = to.model, .headers = std::span(&version, 1), .body = sent.body()}, notes);
}

// --- what a vendor answers
// ----------------------------------------------------------------------------------------------

inline Reply answers(std::vector<Part> parts, StopKind stop = StopKind::end,
                     DialectId origin = DialectId::openai_chat) {
  Reply out{.origin = origin, .id = "answer-1", .model = "a-model"};
  out.choices.push_back({.parts = std::move(parts), .stop = {.kind = stop, .origin = origin}});
  out.usage = {.input = 3, .output = 4, .origin = origin};
  return out;
}

// The events of that answer with the text of each block in the given number of pieces.
inline std::vector<Event> in_pieces(const Reply& reply, std::size_t pieces) {
  std::vector<Event> out;
  for (const Event& event : unfold(reply)) {
    const auto* whole = std::get_if<Delta>(&event);
    if (whole == nullptr) {
      out.push_back(event);
      continue;
    }
    const std::size_t size = (whole->text.size() + pieces - 1) / pieces;
    for (std::size_t at = 0; at < whole->text.size(); at += size) {
      Delta piece = *whole;
      piece.text = whole->text.substr(at, size);
      out.emplace_back(std::move(piece));
    }
  }
  return out;
}

inline std::vector<Event> reread(const Dialect& through, const std::vector<Event>& events) {
  return laws::read_stream(through, through.stream_writer(question())->content_type(),
                           {laws::write_stream(through, events)});
}

inline Result<Reply> folded(const std::vector<Event>& events) {
  Fold fold;
  for (const Event& event : events) fold.add(event);
  return fold.take();
}

// All that is said in visible text, thought, and calls ("name arguments"), of the first choice.
struct Said {
  std::string text, thought, calls, order;
};
inline Said said(const std::vector<Part>& parts) {
  Said out;
  for (const Part& part : parts) {
    if (const auto* p = part.as<Text>()) out.text += p->text, out.order += 't';
    if (const auto* p = part.as<Refusal>()) out.text += p->text, out.order += 'r';
    if (const auto* p = part.as<Reasoning>()) out.thought += p->text, out.order += 'h';
    if (const auto* p = part.as<ToolCall>()) {
      out.calls += p->name + ' ' + (json::valid(p->arguments) ? json::compact(p->arguments) : p->arguments) + ';';
      out.order += 'c';
    }
  }
  return out;
}
inline Said said(const Result<Reply>& reply) {
  return reply && !reply->choices.empty() ? said(reply->choices[0].parts) : Said{.text = "no answer"};
}

}  // namespace sluice::pitfalls
