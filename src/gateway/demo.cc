// SPDX-License-Identifier: MIT
#include "gateway/demo.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/text.h"
#include "gateway/example_json.h"
#include "model/fold.h"

namespace sluice {
namespace {

// FNV-1a, 64 bit: small, and the same on every machine.
class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    value_ = (value_ ^ 0xff) * 0x100000001b3ULL;
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

// Words with the space before them, long ones in pieces: what stands in for tokens.
std::vector<std::string_view> pieces(std::string_view text) {
  constexpr std::size_t longest = 12;
  std::vector<std::string_view> all;
  while (!text.empty()) {
    std::size_t end = 1;
    while (end < text.size() && text[end] != ' ' && text[end] != '\n' && end < longest) ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
    all.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return all;
}
std::int64_t tokens(std::string_view text) {
  return static_cast<std::int64_t>(pieces(text).size());
}

std::string text_of(const std::vector<Part>& parts) {
  std::string all;
  for (const Part& part : parts) {
    const auto* text = part.as<Text>();
    if (!text) continue;
    if (!all.empty()) all += '\n';
    all += text->text;
  }
  return all;
}

const ToolResult* last_result(const ChatRequest& request) {
  if (request.turns.empty()) return nullptr;
  const ToolResult* last = nullptr;
  for (const Part& part : request.turns.back().parts) {
    if (const auto* result = part.as<ToolResult>()) last = result;
  }
  return last;
}

// What was asked, in the forms that the answer needs.
struct Question {
  std::string text;        // of the last turn of the user that has any
  std::size_t files = 0;   // images, sound, documents anywhere
  std::int64_t input = 0;  // estimated tokens
  std::uint64_t print = 0;

  explicit Question(const ChatRequest& request) {
    Fingerprint fingerprint;
    fingerprint.add(request.model);
    for (const Turn& turn : request.turns) add(turn, fingerprint);
    for (const Tool& tool : request.tools) {
      for (const std::string_view part :
           {std::string_view(tool.name), std::string_view(tool.description), std::string_view(tool.schema)}) {
        fingerprint.add(part);
        input += tokens(part);
      }
    }
    if (request.format) fingerprint.add(request.format->schema);
    print = fingerprint.value();
  }

  // A name from the question, else its last word: what a made-up argument is about.
  [[nodiscard]] std::string topic() const {
    constexpr std::string_view ends = " \t\r\n.,;:!?\"'()[]{}";
    std::string_view rest = text, last, named;
    while (!rest.empty()) {
      const auto start = rest.find_first_not_of(ends);
      if (start == std::string_view::npos) break;
      const bool first = last.empty();
      rest.remove_prefix(start);
      last = rest.substr(0, rest.find_first_of(ends));
      rest.remove_prefix(last.size());
      if (!first && last[0] >= 'A' && last[0] <= 'Z' && last.size() > 1) named = last;
    }
    const auto word = named.empty() ? last : named;
    return word.empty() ? "demo" : std::string(word.substr(0, 64));
  }

 private:
  void add(const Turn& turn, Fingerprint& fingerprint) {
    input += 3;  // roles and separators
    for (const Part& part : turn.parts) {
      if (const auto* said = part.as<Text>()) add(said->text, fingerprint);
      if (const auto* call = part.as<ToolCall>()) add(call->name + call->arguments, fingerprint);
      if (const auto* result = part.as<ToolResult>()) add(text_of(result->parts) + result->json, fingerprint);
      if (const auto* media = part.as<Media>()) {
        fingerprint.add(media->data);
        input += 85;  // a small picture's price at OpenAI
        ++files;
      }
    }
    if (turn.role != Role::user) return;
    if (auto words = text_of(turn.parts); !words.empty()) text = std::move(words);
  }
  void add(std::string_view part, Fingerprint& fingerprint) {
    fingerprint.add(part);
    input += tokens(part);
  }
};

// The tool to call, or null: the one that is demanded, else one that the question names, else any.
const Tool* chosen_tool(const ChatRequest& request, const Question& question) {
  std::vector<const Tool*> callable;
  for (const Tool& tool : request.tools) {
    if (tool.vendor_raw.empty() && !tool.name.empty()) callable.push_back(&tool);
  }
  if (const auto& choice = request.tool_choice) {
    if (choice->kind == ChoiceKind::none) return nullptr;
    if (!choice->names.empty())
      std::erase_if(callable, [&](const Tool* tool) {
        return std::ranges::find(choice->names, tool->name) == choice->names.end();
      });
  }
  if (callable.empty()) return nullptr;
  const std::string asked = lower(question.text);
  for (const Tool* tool : callable) {
    std::string name = lower(tool->name);
    std::ranges::replace(name, '-', '_');
    for (std::size_t at = 0; at < name.size();) {
      const auto word = std::string_view(name).substr(at, name.find('_', at) - at);
      if (word.size() > 3 && asked.find(word) != std::string::npos) return tool;
      at += word.size() + 1;
    }
  }
  return callable[question.print % callable.size()];
}

Part call_of(const Tool& tool, const Question& question) {
  ToolCall call{.id = fmt::format("call_demo{:016x}", question.print), .name = tool.name, .kind = tool.kind};
  call.arguments =
      tool.kind == ToolKind::custom ? question.text : example_json(tool.schema, question.topic(), question.print);
  return Part{.body = std::move(call)};
}

// At most `most` bytes, whole characters, one line.
std::string excerpt(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  std::string line(trim(text.substr(0, end)));
  std::ranges::replace(line, '\n', ' ');
  return end < text.size() ? line + "…" : line;
}

std::string spoken(const ChatRequest& request, const Question& question, std::uint64_t turn) {
  if (const ToolResult* result = last_result(request)) {
    const auto said = text_of(result->parts);
    return fmt::format("The tool{}{} {}: {}", result->name.empty() ? "" : " ", result->name,
                       result->is_error ? "failed" : "answered", excerpt(said.empty() ? result->json : said, 400));
  }
  constexpr std::array<std::string_view, 3> closings = {
      "Give Sluice a vendor's key, for example OPENAI_API_KEY, and ask for a real model by its name.",
      "For a real answer, start Sluice with a vendor's key and name one of its models.",
      "Real models answer here as soon as Sluice has a key for one of them."};
  std::string text = "I am the demo model that is built into Sluice; my answers are made on the spot. ";
  text += question.text.empty()
              ? "You asked nothing in words."
              : fmt::format("You asked about {}: \"{}\"", question.topic(), excerpt(question.text, 200));
  if (question.files > 0)
    text += fmt::format(" With it came {} {}.", question.files, question.files == 1 ? "file" : "files");
  return fmt::format("{} {}", text, closings[turn % closings.size()]);
}

std::string answer(const ChatRequest& request, const Question& question, std::uint64_t turn) {
  const auto kind = request.format ? request.format->kind : FormatKind::text;
  switch (kind) {
    case FormatKind::json_schema: return example_json(request.format->schema, question.topic(), turn);
    case FormatKind::json_object:
      return example_json(R"({"required":["model","topic"],"properties":{"model":{"const":"demo"},"topic":{}}})",
                          question.topic(), turn);
    case FormatKind::text: return spoken(request, question, turn);
  }
  return {};
}

// Cuts at the first stop sequence and at the output limit; tells which it was.
Stop cut(std::string& text, const ChatRequest& request) {
  Stop stop{.kind = StopKind::end, .raw = "stop"};
  std::size_t first = std::string::npos;
  for (const auto& sequence : request.stop) {
    const auto at = sequence.empty() ? std::string::npos : text.find(sequence);
    if (at >= first) continue;
    first = at;
    stop = {.kind = StopKind::stop_sequence, .raw = "stop", .sequence = sequence};
  }
  text.resize(std::min(first, text.size()));
  const auto all = pieces(text);
  const auto most = request.max_output.value_or(0);
  if (most > 0 && static_cast<std::int64_t>(all.size()) > most) {
    text.resize(static_cast<std::size_t>(all[static_cast<std::size_t>(most)].data() - text.data()));
    stop = {.kind = StopKind::length, .raw = "length"};
  }
  return stop;
}

}  // namespace

Reply demo_reply(const ChatRequest& request, std::int64_t unix_seconds) {
  constexpr std::int64_t most_choices = 16;
  const Question question(request);
  Reply reply{.id = fmt::format("demo-{:016x}", question.print), .model = "demo", .created = unix_seconds};
  const Tool* tool = last_result(request) ? nullptr : chosen_tool(request, question);
  const auto choices = std::clamp<std::int64_t>(request.sampling.n.value_or(1), 1, most_choices);
  std::int64_t output = 0;
  for (std::int64_t i = 0; i < choices; ++i) {
    Choice choice{.index = i};
    if (tool) {
      choice.parts.push_back(call_of(*tool, question));
      choice.stop = {.kind = StopKind::tool_calls, .raw = "tool_calls"};
      output += tokens(choice.parts[0].as<ToolCall>()->arguments) + 1;
    } else {
      std::string text = answer(request, question, question.print + static_cast<std::uint64_t>(i));
      choice.stop = cut(text, request);
      output += tokens(text);
      if (!text.empty()) choice.parts.push_back({.body = Text{.text = std::move(text)}});
    }
    reply.choices.push_back(std::move(choice));
  }
  reply.usage = {.input = question.input, .output = output, .estimated = true};
  return reply;
}

std::vector<Event> demo_events(const Reply& reply) {
  std::vector<Event> events;
  for (Event& event : unfold(reply)) {
    const auto* delta = std::get_if<Delta>(&event);
    if (!delta) {
      const bool first = std::holds_alternative<Begin>(event);
      events.push_back(std::move(event));
      // The head of some dialects tells the input's tokens.
      if (first) events.emplace_back(UsageSeen{Usage{.input = reply.usage.input, .estimated = true}});
      continue;
    }
    for (const auto piece : pieces(delta->text))
      events.emplace_back(Delta{.choice = delta->choice, .block = delta->block, .text = std::string(piece)});
  }
  return events;
}

}  // namespace sluice
