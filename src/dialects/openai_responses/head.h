// The response object around the items: what it says of itself, and what it repeats of the question because clients'
// types demand it. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dialects/dialect.h"

namespace sluice::openai_responses {

// Everything of `response` but the Members into `out`; what repeats the question is one memory (spare.h), because it is
// no news to any client.
struct Members {  // absent where there is none
  json::Value output, usage, status, tier, detail, error;
};
Members read_head(json::Value response, Reply& out);

class Head {
 public:
  // Copies what it needs of the question.
  explicit Head(const Question& question);

  void begin(const Reply& reply);

  struct State {
    std::string_view status;
    std::string_view detail = "null";  // JSON of incomplete_details
    std::string_view items;            // inside of the list of output
    std::string_view error = "null";   // JSON
    const Usage* usage = nullptr;
    const Extras* late = nullptr;  // members that stand only at the end, or again
    std::optional<std::string> tier;
  };
  void write(json::Writer& out, const State& state) const;

  [[nodiscard]] bool own() const { return own_; }

 private:
  std::string model_, exchange_;
  std::int64_t seconds_;
  std::string echo_;  // the members that repeat the question, with commas between them
  Reply reply_;       // without choices
  bool own_ = false;
};

}  // namespace sluice::openai_responses
