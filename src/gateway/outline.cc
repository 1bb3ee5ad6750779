// SPDX-License-Identifier: MIT
#include "gateway/outline.h"

#include <algorithm>

#include "dialects/pointer.h"

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
  if (delta == nullptr) {
    if (const auto* start = std::get_if<BlockStart>(&event)) open_.push_back(start->choice);
    if (const auto* stop = std::get_if<BlockStop>(&event)) std::erase(open_, stop->choice);
    const auto* cited = std::get_if<CitationSeen>(&event);
    if (cited != nullptr && std::ranges::find(open_, cited->choice) == open_.end()) {
      cited_late_.emplace_back(cited->choice, cited->block);
    }
    return fold_.add(event);
  }
  const Part* part = open_part(fold_.so_far(), delta->choice);
  if (part == nullptr || delta->text.empty() || has_words(*part)) return;
  // Half an object would be no object.
  const bool call = part->as<ToolCall>() != nullptr;
  fold_.add(Delta{.choice = delta->choice, .block = delta->block, .text = call ? "{}" : delta->text});
}

void Outline::note(const Dialect& client, const Question& question, Notes& notes) {
  if (!fold_.complete()) return;
  const auto reply = fold_.take();
  if (!reply) return;
  static_cast<void>(client.write_reply(*reply, question, notes));
  if (client.cites_late()) return;
  constexpr std::string_view late = "the sources came when their text was over";
  for (const auto& [index, block] : cited_late_) {
    const auto choice = std::ranges::find(reply->choices, index, &Choice::index) - reply->choices.begin();
    std::string at = pointer_to_citations(*reply, static_cast<std::size_t>(choice), static_cast<std::size_t>(block));
    const bool told =
        std::ranges::any_of(notes.all(), [&](const Note& n) { return n.pointer == at && n.reason == late; });
    if (!told) notes.lost(std::move(at), std::string(late));
  }
}

}  // namespace sluice
