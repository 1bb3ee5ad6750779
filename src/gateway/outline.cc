// SPDX-License-Identifier: MIT
#include "gateway/outline.h"

#include <algorithm>

namespace sluice {
namespace {

// The open block of a choice; null when there is none.
const Part* open_part(const Reply& reply, std::int64_t choice) {
  const auto at = std::ranges::find(reply.choices, choice, &Choice::index);
  return at == reply.choices.end() || at->parts.empty() ? nullptr : &at->parts.back();
}

bool has_words(const Part& part) {
  if (const auto* text = part.as<Text>()) return !text->text.empty();
  if (const auto* thought = part.as<Reasoning>()) return !thought->text.empty();
  if (const auto* call = part.as<ToolCall>()) return !call->arguments.empty();
  if (const auto* refusal = part.as<Refusal>()) return !refusal->text.empty();
  if (const auto* media = part.as<Media>()) return !media->data.empty();
  return true;
}

}  // namespace

void Outline::add(const Event& event) {
  const auto* delta = std::get_if<Delta>(&event);
  if (delta == nullptr) return fold_.add(event);
  const Part* part = open_part(fold_.so_far(), delta->choice);
  if (part == nullptr || delta->text.empty() || has_words(*part)) return;
  // Half an object would be no object.
  const bool call = part->as<ToolCall>() != nullptr;
  fold_.add(Delta{.choice = delta->choice, .block = delta->block, .text = call ? "{}" : delta->text});
}

void Outline::note(const Dialect& client, const Question& question, Notes& notes) {
  if (!fold_.complete()) return;
  if (const auto reply = fold_.take()) static_cast<void>(client.write_reply(*reply, question, notes));
}

}  // namespace sluice
