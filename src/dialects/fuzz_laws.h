// What holds for any bytes, in every dialect: as a request, as a reply and as a stream nothing crashes, what is written
// is read again and means what was read before, and a stream is legal however its bytes arrive. One fuzzer per dialect
// runs it (<name>/*_fuzz.cc); fuzzers only. SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "dialects/held_state.h"
#include "dialects/registry.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace sluice::fuzz {

// Ends the run; the law's name stands above the stack.
inline void require(bool holds, std::string_view law, std::string_view more = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken law: %.*s\n%.*s\n", static_cast<int>(law.size()), law.data(),
               static_cast<int>(more.size()), more.data());
  __builtin_trap();
}

// Models that a dialect's writer treats differently, the vendor's own. The first provider takes everything that the
// dialect can say.
inline std::span<const Destination> destinations(DialectId id) {
  static constexpr Destination chat[] = {{.model = "m", .provider = "compatible"},
                                         {.model = "gpt-5", .provider = "openai"},
                                         {.model = "mistral-large", .provider = "mistral"},
                                         {.model = "deepseek-reasoner", .provider = "deepseek"},
                                         {.model = "m", .provider = "openrouter"}};
  static constexpr Destination responses[] = {{.model = "m", .provider = "compatible"},
                                              {.model = "gpt-5", .provider = "openai"}};
  static constexpr Destination anthropic[] = {{.model = "claude-opus-5-5", .provider = "anthropic"},
                                              {.model = "claude-sonnet-4-5", .provider = "anthropic"},
                                              {.model = "claude-2.1", .provider = "anthropic"}};
  static constexpr Destination gemini[] = {{.model = "gemini-3-pro", .provider = "gemini"},
                                           {.model = "gemini-2.5-flash", .provider = "gemini"},
                                           {.model = "gemini-1.5-flash", .provider = "gemini"},
                                           {.model = "gemini-4-argon", .provider = "gemini"}};
  static constexpr Destination cohere[] = {{.model = "m", .provider = "compatible"},
                                           {.model = "command-a-plus", .provider = "cohere"}};
  static constexpr Destination bedrock[] = {{.model = "m", .provider = "bedrock"},
                                            {.model = "us.anthropic.claude-sonnet-4-5", .provider = "bedrock"},
                                            {.model = "amazon.nova-2-lite-v1:0", .provider = "bedrock"},
                                            {.model = "mistral.large", .provider = "bedrock"}};
  static constexpr Destination completions[] = {{.model = "m", .provider = "compatible"},
                                                {.model = "gpt-3.5-turbo-instruct", .provider = "openai"}};
  switch (id) {
    case DialectId::openai_completions: return completions;
    case DialectId::openai_chat: return chat;
    case DialectId::openai_responses: return responses;
    case DialectId::anthropic: return anthropic;
    case DialectId::gemini: return gemini;
    case DialectId::cohere: return cohere;
    case DialectId::bedrock_converse: return bedrock;
  }
  return {};
}

inline const HeaderView version{"anthropic-version", "2023-06-01"};
inline const Question question{.model = "asked", .exchange_id = "exchange", .unix_seconds = 1700000000};

inline Asked asked(std::string_view body, std::string_view model = "model-in-path", bool stream = false) {
  return {.path_model = model, .path_streams = stream, .headers = std::span(&version, 1), .body = body};
}

// The words of a turn or an answer, in their order: texts, thoughts, refusals, and what is called with what. Vendors
// write all else in several ways, and bytes that nobody would send come back as the vendor would have put them.
inline void add_words(std::string& out, const std::vector<Part>& parts) {
  for (const Part& part : parts) {
    if (const auto* text = part.as<Text>()) out += text->text;
    if (const auto* thought = part.as<Reasoning>()) out += thought->text;
    if (const auto* refusal = part.as<Refusal>()) out += refusal->text;
    if (const auto* call = part.as<ToolCall>()) out += '(' + call->name + ')';
  }
}
inline std::string words(const ChatRequest& request) {
  std::string out = request.model + (request.stream ? " stream " : " whole ");
  for (const Turn& turn : request.turns) add_words(out, turn.parts);
  for (const Tool& tool : request.tools) out += '[' + tool.name + ']';
  for (const std::string& stop : request.stop) out += '|' + stop;
  if (request.max_output) out += std::to_string(*request.max_output);
  return out;
}
inline std::string words(const Reply& reply) {
  std::string out;
  for (const Choice& choice : reply.choices) add_words(out, choice.parts);
  return out;
}
inline void require_same(const auto& before, const auto& after, std::string_view law, std::string_view written) {
  const std::string first = words(before), second = words(after);
  if (first != second) require(false, law, first + "\n-- became --\n" + second + "\n-- in --\n" + std::string(written));
}
// A reply of which anybody could say how it ended.
inline bool ended(const Reply& reply) {
  return !reply.choices.empty() &&
         std::ranges::all_of(reply.choices, [](const Choice& choice) { return choice.stop.kind != StopKind::unknown; });
}

inline void requests(const Dialect& dialect, std::string_view body) {
  if (const auto peek = dialect.peek(asked(body))) {
    // Edits inside a nested value refuse what is broken there; the peek does not look.
    const auto edited = json::apply(body, dialect.verbatim_edits(*peek, {.model = "other", .provider = "openai"}));
    require(edited ? json::valid(*edited) || !json::valid(body) : !json::valid(body), "edits of an untouched request");
  }
  Notes notes;
  const auto request = dialect.read_request(asked(body), notes);
  if (!request) return;
  static_cast<void>(held_elsewhere(*request));

  Destination own = destinations(dialect.id()).front();
  own.model = request->model;
  own.stream = request->stream;
  Notes said;  // a difference that is told is none
  if (const auto written = dialect.write_request(*request, own, said)) {
    require(json::valid(written->body), "a request is JSON", written->body);
    const auto again = dialect.read_request(asked(written->body, request->model, request->stream), notes);
    require(again.has_value(), "a request's own words are read", written->body);
    if (said.empty()) require_same(*request, *again, "a request read again is the same", written->body);
    // What was odd was put right by the first trip; from then on nothing moves.
    const auto twice = dialect.write_request(*again, own, notes);
    require(twice.has_value(), "a request is written a second time", written->body);
    const auto third = dialect.read_request(asked(twice->body, request->model, request->stream), notes);
    require(third.has_value(), "a request's own words are read", twice->body);
    const auto thrice = dialect.write_request(*third, own, notes);
    require(thrice && json::same(twice->body, thrice->body), "a further trip changes nothing", twice->body);
  }
  for (const Dialect* other : dialects()) {
    for (const Destination& to : destinations(other->id())) {
      const auto written = other->write_request(*request, to, notes);
      if (!written) continue;
      require(json::valid(written->body), "a request in another dialect is JSON", written->body);
      require(other->read_request(asked(written->body), notes).has_value(), "another dialect reads its own words",
              written->body);
    }
  }
}

inline void replies(const Dialect& dialect, std::string_view body) {
  static_cast<void>(dialect.reply_usage(body));
  const Error error = dialect.read_error(500, body);
  require(json::valid(dialect.write_error(error, "id")), "an error is JSON");
  const auto reply = dialect.read_reply(body);
  if (!reply) return;
  Notes said, notes;
  const std::string written = dialect.write_reply(*reply, question, said);
  require(json::valid(written), "a reply is JSON", written);
  const auto again = dialect.read_reply(written);
  require(again.has_value(), "a reply's own words are read", written);
  if (said.empty()) require_same(*reply, *again, "a reply read again is the same", written);
  const std::string twice = dialect.write_reply(*again, question, notes);
  const auto third = dialect.read_reply(twice);
  require(third && json::same(twice, dialect.write_reply(*third, question, notes)), "a further trip changes nothing",
          twice);
  for (const Dialect* other : dialects()) {
    const std::string out = other->write_reply(*reply, question, notes);
    require(json::valid(out), "a reply in another dialect is JSON", out);
    require(reply->choices.empty() || other->read_reply(out), "another dialect reads its own reply", out);
  }
}

struct Told {
  std::vector<Event> events;
  bool framed = true;  // false: the framing broke
};

// The stream in pieces of `step` bytes, each gone when the next one comes.
inline Told read_stream(const Dialect& dialect, std::string_view bytes, std::string_view type, std::size_t step) {
  Told told;
  const auto framer = dialect.framer(type);
  const auto reader = dialect.stream_reader();
  const auto watcher = dialect.stream_reader();
  const auto take = [&](const Result<std::optional<Frame>>& frame) {
    told.framed = told.framed && frame.has_value();
    if (!frame || !*frame) return false;
    static_cast<void>(watcher->observe(**frame));
    reader->read(**frame, told.events);
    return true;
  };
  std::string piece;
  while (!bytes.empty() && told.framed) {
    piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    framer->feed(piece);
    while (take(framer->next())) continue;
  }
  if (!told.framed) return told;
  take(framer->end());
  if (told.framed) reader->end(told.events);
  return told;
}

inline void require_grammar(const Told& told, std::string_view law) {
  Grammar grammar;
  for (const Event& event : told.events) require(grammar.check(event).empty(), law, grammar.check(event));
  if (told.framed) require(grammar.check_end().empty(), law, "no end");
}

inline std::optional<Reply> folded(const std::vector<Event>& events) {
  Fold fold;
  for (const Event& event : events) fold.add(event);
  if (!fold.complete()) return std::nullopt;
  return *fold.take();
}

inline void streams(const Dialect& dialect, std::string_view bytes, std::string_view type) {
  const Told told = read_stream(dialect, bytes, type, bytes.size() + 1);
  require_grammar(told, "grammar");
  const Told cut = read_stream(dialect, bytes, type, 7);
  require(cut.events.size() == told.events.size() && cut.framed == told.framed, "any cut");
  const std::optional<Reply> reply = folded(told.events);
  require(reply == folded(cut.events), "any cut");
  for (const Dialect* other : dialects()) {
    Question asked = question;
    asked.stream_array = type == "application/json";
    const auto writer = other->stream_writer(asked);
    std::string out;
    for (const Event& event : told.events) writer->write(event, out);
    if (!told.framed) continue;
    const Told again = read_stream(*other, out, writer->content_type(), out.size() + 1);
    require(again.framed, "a stream's own words are read", out);
    require_grammar(again, "grammar of a written stream");
    const std::optional<Reply> back = folded(again.events);
    require(!reply || !ended(*reply) || back, "an end stays an end", out);
    require(reply || !back, "no end is made up", out);
    if (!reply || !back || other != &dialect) continue;
    Notes said;
    static_cast<void>(dialect.write_reply(*reply, question, said));
    if (said.empty()) require_same(*reply, *back, "a stream read again is the same", out);
  }
}

inline int run(const Dialect& dialect, std::initializer_list<std::string_view> stream_types, const std::uint8_t* data,
               std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  requests(dialect, bytes);
  replies(dialect, bytes);
  for (const std::string_view type : stream_types) streams(dialect, bytes, type);
  return 0;
}

}  // namespace sluice::fuzz
