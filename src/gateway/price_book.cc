// SPDX-License-Identifier: MIT
#include "gateway/price_book.h"

namespace sluice {

std::shared_ptr<const Priced> PriceBook::of(const Backend& backend, std::string_view model) {
  name_.assign(reinterpret_cast<const char*>(&backend.serial), sizeof backend.serial).append(model);
  if (const auto found = known_.find(name_); found != known_.end()) return found->second;
  auto out = std::make_shared<Priced>();
  out->free = backend.demo();
  if (auto row = backend.row(model)) {
    if (!row->price.empty()) out->text = *texts_.insert(write_price(row->price)).first;
    out->price = std::move(row->price);
    out->most_output = row->answer.value_or(0);
  }
  if (known_.size() >= most) known_.clear();
  known_.emplace(name_, out);
  return out;
}

}  // namespace sluice
