// SPDX-License-Identifier: MIT
#include "dialects/dialogue.h"

#include <algorithm>
#include <string>
#include <utility>

#include "dialects/pointer.h"

namespace sluice {
namespace {

bool empty_text(const Part& part) {
  const auto* text = part.as<Text>();
  return text != nullptr && text->text.empty() && !part.seal;
}

class Alternation {
 public:
  Alternation(const ChatRequest& request, const DialogueRules& rules, Notes& notes)
      : request_(request), rules_(rules), notes_(notes) {}

  Dialogue run() {
    out_.messages.reserve(request_.turns.size() + 1);
    for (std::size_t t = leading_system(request_); t < request_.turns.size(); ++t) {
      const Turn& turn = request_.turns[t];
      switch (turn.role) {
        case Role::assistant: assistant(turn, t); break;
        case Role::system:
        case Role::developer: system(turn, t); break;
        case Role::user:
        case Role::tool: user(turn, t); break;
      }
    }
    settle(request_.turns.empty() ? 0 : request_.turns.size() - 1);
    std::erase_if(out_.messages, [](const Message& m) { return m.parts.empty(); });
    if (!out_.messages.empty() && out_.messages.front().role == Role::assistant) {
      const PlacedPart& first = out_.messages.front().parts.front();
      notes_.added(pointer_to_turn(request_, first.turn), "a conversation must open with a user turn");
      out_.messages.insert(out_.messages.begin(), Message{Role::user, {{make_text("."), first.turn, first.index}}});
    }
    return std::move(out_);
  }

 private:
  const Part* make_text(std::string text) {
    out_.made.push_back(Part{.body = Text{.text = std::move(text)}});
    return &out_.made.back();
  }

  Message& open(Role role) {
    if (out_.messages.empty() || out_.messages.back().role != role) out_.messages.push_back({.role = role});
    return out_.messages.back();
  }

  void assistant(const Turn& turn, std::size_t t) {
    settle(t);
    Message& message = open(Role::assistant);
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const Part& part = turn.parts[i];
      if (rules_.drop_empty_text && empty_text(part)) continue;
      message.parts.push_back({&part, t, i});
      if (const auto* call = part.as<ToolCall>()) calls_.push_back({.id = call->id, .name = call->name, .turn = t});
    }
  }

  void user(const Turn& turn, std::size_t t) {
    std::vector<PlacedPart>& rest = rest_;
    rest.clear();
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const Part& part = turn.parts[i];
      if (const auto* result = part.as<ToolResult>()) {
        if (answer(*result, part, t, i)) continue;
        notes_.restated(pointer_to_part(request_, t, i), "a tool result without its call became user text");
        rest.push_back({make_text(result_text(*result)), t, i});
        continue;
      }
      if (rules_.drop_empty_text && empty_text(part)) continue;
      rest.push_back({&part, t, i});
    }
    if (rest.empty()) return;
    settle(t);
    Message& message = open(Role::user);
    message.parts.insert(message.parts.end(), rest.begin(), rest.end());
  }

  void system(const Turn& turn, std::size_t t) {
    // Between calls and their results nothing may stand: such text waits until the results are there.
    if (!calls_.empty()) {
      waiting_.emplace_back(&turn, t);
      return;
    }
    place_system(turn, t);
  }

  void place_system(const Turn& turn, std::size_t t) {
    // In place means behind a user turn: at the front and behind an assistant it would be refused.
    const bool behind_user = !out_.messages.empty() && out_.messages.back().role != Role::assistant;
    if (rules_.system_in_place && behind_user) {
      Message& message = open(Role::system);
      for (std::size_t i = 0; i < turn.parts.size(); ++i) message.parts.push_back({&turn.parts[i], t, i});
      return;
    }
    Message& message = open(Role::user);
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const auto* text = turn.parts[i].as<Text>();
      if (text == nullptr)
        notes_.lost(pointer_to_part(request_, t, i), "amid a conversation system turns are text only");
      if (text == nullptr || text->text.empty()) continue;
      notes_.restated(pointer_to_part(request_, t, i), "system text amid a conversation became user text");
      message.parts.push_back({make_text("<system-reminder>" + text->text + "</system-reminder>"), t, i});
      // A mark of a cache stays where it was.
      out_.made.back().cache = turn.parts[i].cache;
    }
  }

  // Puts the result to the first open call of its id (ids may repeat in one history). False: nobody asked for it.
  bool answer(const ToolResult& result, const Part& part, std::size_t t, std::size_t i) {
    for (Call& call : calls_) {
      if (call.id != result.call_id || call.result.part != nullptr) continue;
      call.result = {&part, t, i};
      return true;
    }
    return false;
  }

  // Writes the results of the open calls, in the calls' order, and what had to wait for them.
  void settle(std::size_t t) {
    if (calls_.empty()) return;
    Message& message = open(Role::user);
    for (const Call& call : calls_) {
      if (call.result.part != nullptr) {
        message.parts.push_back(call.result);
        continue;
      }
      notes_.added(pointer_to_turn(request_, call.turn), "a tool call without its result got an error result");
      ToolResult missing{.call_id = call.id, .name = call.name, .is_error = true, .plain_string = true};
      missing.parts.push_back(Part{.body = Text{.text = std::string(not_executed)}});
      out_.made.push_back(Part{.body = std::move(missing)});
      // Behind all parts of the turn: at the place of one it would be taken for that one.
      message.parts.push_back({&out_.made.back(), t, request_.turns[t].parts.size()});
    }
    calls_.clear();
    for (const auto& [turn, at] : std::exchange(waiting_, {})) place_system(*turn, at);
  }

  struct Call {
    std::string id, name;
    std::size_t turn = 0;
    PlacedPart result;
  };

  const ChatRequest& request_;
  const DialogueRules& rules_;
  Notes& notes_;
  Dialogue out_;
  std::vector<PlacedPart> rest_;                              // of the user turn at hand
  std::vector<Call> calls_;                                   // of the last assistant message, not yet written out
  std::vector<std::pair<const Turn*, std::size_t>> waiting_;  // system text between calls and results
};

}  // namespace

Dialogue alternate(const ChatRequest& request, const DialogueRules& rules, Notes& notes) {
  return Alternation(request, rules, notes).run();
}

void trim_prefill(const ChatRequest& request, Dialogue& dialogue, Notes& notes) {
  if (dialogue.messages.empty() || dialogue.messages.back().role != Role::assistant) return;
  std::vector<PlacedPart>& parts = dialogue.messages.back().parts;
  const PlacedPart part = parts.back();
  const auto* text = part.part->as<Text>();
  if (text == nullptr) return;
  const auto end = text->text.find_last_not_of(" \t\r\n");
  if (end + 1 == text->text.size()) return;
  notes.restated(pointer_to_part(request, part.turn, part.index), "white space at the end of a prefill is refused");
  Part trimmed = *part.part;
  trimmed.as<Text>()->text.resize(end + 1);
  dialogue.made.push_back(std::move(trimmed));
  parts.back().part = &dialogue.made.back();
  if (end == std::string::npos) parts.pop_back();
  if (parts.empty()) dialogue.messages.pop_back();
}

std::string result_text(const ToolResult& result) {
  std::string out;
  for (const Part& part : result.parts) {
    if (const auto* text = part.as<Text>()) out += text->text;
  }
  return out.empty() ? result.json : out;
}

}  // namespace sluice
