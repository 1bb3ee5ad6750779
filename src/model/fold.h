// Reply = fold(events), events = unfold(Reply): the one place where whole and stream meet.
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "base/result.h"
#include "model/event.h"

namespace sluice {

// Adds up events into a Reply.
class Fold {
 public:
  void add(const Event& event);
  // True after End.
  [[nodiscard]] bool complete() const { return ended_; }
  // The Reply so far (moved out). Error: the Failed event's, or upstream_broken when End never came.
  [[nodiscard]] Result<Reply> take();
  [[nodiscard]] const Reply& so_far() const { return reply_; }

 private:
  void on(const Begin& e);
  void on(const BlockStart& e);
  void on(const Delta& e);
  void on(const CitationSeen& e);
  void on(const BlockStop& e);
  void on(const UsageSeen& e);
  void on(const Finish& e);
  void on(const Failed& e);
  void on(const End& e);
  void on(const Ping&) {}
  void on(const OpaqueEvent&) {}
  Choice& choice(std::int64_t index);
  Reply reply_;
  bool ended_ = false;
  std::optional<Error> failed_;
};

// The events that a stream of this reply would be: text as one delta per block.
[[nodiscard]] std::vector<Event> unfold(const Reply& reply);

// `later` over `before`, member by member: what `later` knows wins. Of the vendor's words only those are kept that
// still say what the members do.
void merge(Usage& before, const Usage& later);
// What two calls used together; in nobody's words.
[[nodiscard]] Usage sum(const Usage& a, const Usage& b);

}  // namespace sluice
