// What a content filter stopped, on a route that then asks the next target: kept as long as somebody may do better, and
// given back as the answer when nobody does. Not here: what counts as stopped (attempt.cc, verdict.h), who is next
// (call.cc). SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/attempt.h"
#include "gateway/stages.h"
#include "model/record.h"

namespace sluice {

class Stopped {
 public:
  // True when a filter stopped it and the route asks further: it is not the answer yet. The first one is kept, with
  // what the record was told of it.
  [[nodiscard]] bool take(const Try& t, Result<Answer>& answer);
  [[nodiscard]] bool any() const { return kept_ != nullptr; }
  // Once, when there is one.
  [[nodiscard]] Result<Answer> give_back(const Try& t);

 private:
  struct Kept {
    Result<Answer> answer;
    Record told;  // of it, as far as the answer's own words go; its usage stands apart in the exchange's record
    std::string relayed;
  };
  void keep(const Try& t, Result<Answer>& answer);
  std::unique_ptr<Kept> kept_;
};

}  // namespace sluice
