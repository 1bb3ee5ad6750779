// What a legal stream of events is: Begin once and first; deltas only inside the open block, citations also in an
// earlier one while none is open; blocks numbered 0, 1, 2 … within their choice and closed before the next opens;
// Finish of a choice after its blocks; exactly one End or Failed, last. End needs a Finish of every choice that had
// blocks. SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "model/event.h"

namespace sluice {

class Grammar {
 public:
  // Empty when `event` is legal here, else a sentence that says why not.
  [[nodiscard]] std::string check(const Event& event);
  // Empty when the stream may stop here (after End or Failed).
  [[nodiscard]] std::string check_end() const;

 private:
  struct ChoiceState {
    std::int64_t next = 0;
    bool open = false;
    bool finished = false;
  };
  bool begun_ = false;
  bool over_ = false;
  std::map<std::int64_t, ChoiceState> choices_;
};

}  // namespace sluice
