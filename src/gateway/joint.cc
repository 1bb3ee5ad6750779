// SPDX-License-Identifier: MIT
#include "gateway/joint.h"

#include <algorithm>
#include <utility>

#include "model/fold.h"

namespace sluice {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
}

}  // namespace

void Joint::pass(std::vector<Event>& events, Notes& notes) {
  if (!second_) {
    for (const Event& event : events) {
      if (const auto* begin = std::get_if<Begin>(&event)) merge(here_, begin->reply.usage);
      if (const auto* usage = std::get_if<UsageSeen>(&event)) merge(here_, usage->usage);
      keep(event);
    }
    return;
  }
  out_.clear();
  for (Event& event : events) later(event, notes);
  events.swap(out_);
}

void Joint::go_on(const Usage& estimate, Notes& notes) {
  if (!said_here().empty()) {
    if (here_.total_input() == 0) {  // some count it only at the end, and begin with a nought
      here_.input = estimate.input;
      here_.estimated = true;
    }
    // What a stream tells at its beginning is no more than a beginning.
    if (here_.total_output() < estimate.output.value_or(0)) {
      here_.output = estimate.output.value_or(0) - here_.reasoning.value_or(0);
      here_.estimated = true;
    }
  }
  before_ = sum(before_, here_);
  last_ = std::exchange(here_, {});
  said_before_ = said_.size();
  second_ = begun_;
  usage_told_ = false;
  places_.clear();
  blanks_ = said_.substr(said_.find_last_not_of(blanks) + 1);
  if (second_) notes.restated("", "the answer broke off, and another call went on with it");
}

void Joint::later(Event& event, Notes& notes) {
  if (auto* begin = std::get_if<Begin>(&event)) {
    merge(here_, begin->reply.usage);
    usage_told_ |= here_.known();
    if (here_.known()) tell_usage();
  } else if (auto* start = std::get_if<BlockStart>(&event)) {
    if (start->choice == 0) this->start(*start, notes);
  } else if (auto* delta = std::get_if<Delta>(&event)) {
    if (delta->choice == 0) grow(*delta);
  } else if (auto* cited = std::get_if<CitationSeen>(&event)) {
    const auto at = static_cast<std::size_t>(cited->block);
    if (cited->choice != 0 || at >= places_.size() || places_[at].left_out) return;
    const Place& place = places_[at];
    cited->block = place.block;
    if (place.from > 0 && (cited->citation.start || cited->citation.end)) {
      if (cited->citation.start) *cited->citation.start += place.from;
      if (cited->citation.end) *cited->citation.end += place.from;
      cited->citation.raw.clear();  // it counts from the other beginning
    }
    tell(std::move(event));
  } else if (auto* stop = std::get_if<BlockStop>(&event)) {
    const auto at = static_cast<std::size_t>(stop->block);
    if (stop->choice != 0 || at >= places_.size() || places_[at].left_out) return;
    stop->block = places_[at].block;
    if (places_[at].joined) stop->seal.reset();  // it proves half of the text
    tell(std::move(event));
  } else if (auto* usage = std::get_if<UsageSeen>(&event)) {
    merge(here_, usage->usage);
    usage_told_ = true;
    tell_usage();
  } else if (auto* finish = std::get_if<Finish>(&event)) {
    if (finish->choice != 0) return;
    if (inside_ == Inside::text) tell(BlockStop{.block = next_ - 1});
    tell(std::move(event));
  } else if (std::holds_alternative<End>(event)) {
    if (!usage_told_) tell_usage();
    tell(std::move(event));
  } else if (!std::holds_alternative<OpaqueEvent>(event)) {
    tell(std::move(event));  // frames that nobody knows may hold the other stream's numbers: they stay behind
  }
}

void Joint::start(BlockStart& e, Notes& notes) {
  Place& place = places_.emplace_back();
  const bool first = inside_ == Inside::text;  // the answer's block is still open
  if (e.part.as<Reasoning>() != nullptr && (first || thought_)) {
    place.left_out = true;
    notes.lost("", "the thoughts of the call that went on with an answer");
    return;
  }
  if (e.part.as<Text>() != nullptr && first) {
    place.block = next_ - 1;
    place.from = points_;
    place.joined = true;
    return;
  }
  if (first) tell(BlockStop{.block = next_ - 1});
  e.block = place.block = next_;
  tell(std::move(e));
}

void Joint::grow(Delta& e) {
  const auto at = static_cast<std::size_t>(e.block);
  if (at >= places_.size() || places_[at].left_out) return;
  e.block = places_[at].block;
  if (inside_ == Inside::text) {
    // What was asked to go on may begin with the blanks that ended what was said: they may not have been shown to it.
    std::size_t same = 0;
    while (same < e.text.size() && same < blanks_.size() && e.text[same] == blanks_[same]) ++same;
    const bool all = same == e.text.size();
    e.text.erase(0, same);
    all ? blanks_.erase(0, same) : blanks_.erase();
    if (all && same > 0 && !e.logprobs) return;
  }
  tell(std::move(e));
}

void Joint::tell_usage() {
  tell(UsageSeen{sum(before_, here_)});
}

void Joint::tell(Event event) {
  keep(event);
  out_.push_back(std::move(event));
}

// What the answer is now.
void Joint::keep(const Event& event) {
  if (const auto* delta = std::get_if<Delta>(&event)) {
    if (delta->choice != 0) return close();
    if (inside_ != Inside::text) return;
    points_ += code_points(delta->text);
    if (closed_) return;
    said_ += delta->text;
    if (said_.size() > most_said) close();
  } else if (const auto* start = std::get_if<BlockStart>(&event)) {
    if (start->choice != 0) return close();
    const bool text = start->part.as<Text>() != nullptr;
    const bool thought = start->part.as<Reasoning>() != nullptr;
    inside_ = text ? Inside::text : thought ? Inside::thought : Inside::other;
    thought_ |= thought;
    next_ = start->block + 1;
    points_ = 0;
    if (!text && !thought) close();
  } else if (std::holds_alternative<BlockStop>(event)) {
    inside_ = Inside::nothing;
  } else if (std::holds_alternative<Begin>(event)) {
    begun_ = true;
  } else if (std::holds_alternative<Finish>(event) || std::holds_alternative<End>(event)) {
    close();
  }
}

void Joint::close() {
  closed_ = true;
  said_ = {};
  said_before_ = 0;
}

}  // namespace sluice
