// Watching a stream that is forwarded untouched, of chunks or of the old API's texts: what a relay must know of each
// frame, without reading its JSON where nothing but content passes. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "dialects/alike.h"
#include "dialects/dialect.h"

namespace sluice::openai_chat {

class Watch {
 public:
  [[nodiscard]] Sight observe(const Frame& frame);
  [[nodiscard]] bool complete() const;

 private:
  void read_whole(std::string_view data, bool named_error, Sight& sight);
  std::vector<std::int64_t> seen_, finished_;  // choices
  bool done_ = false, failed_ = false;
  Alike alike_;  // simple chunks with a text
};

}  // namespace sluice::openai_chat
