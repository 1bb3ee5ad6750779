// What targets cost, each looked up once. Belongs to one worker. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "config/snapshot.h"
#include "pricing/price.h"

namespace sluice {

struct Priced {
  Price price;                   // empty: not known
  bool free = false;             // the demo, which costs nobody anything
  std::int64_t most_output = 0;  // tokens of an answer at most; 0: not known
  std::string_view text;         // the price as write_price() has it; lives as long as the book
};

class PriceBook {
 public:
  // There is another configuration.
  void forget() { known_.clear(); }
  [[nodiscard]] std::shared_ptr<const Priced> of(const Backend& backend, std::string_view model);

 private:
  static constexpr std::size_t most = 4096;                               // clients may make up names without end
  std::unordered_map<std::string, std::shared_ptr<const Priced>> known_;  // by Backend::serial and model
  std::unordered_set<std::string> texts_;
  std::string name_;
};

}  // namespace sluice
