// A ledger's rows as years of use would leave them, for tests and the benchmark: any number, the same every time, in
// the order in which they came. SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "model/ledger_row.h"

namespace sluice {

class ManyRows {
 public:
  struct Shape {
    std::int64_t exchanges = 0;
    std::int64_t from_ms = 0, to_ms = 0;
    std::uint64_t keys = 200, groups = 20, models = 40, backends = 12, tags = 50;
  };
  explicit ManyRows(const Shape& shape) : shape_(shape) {}

  // Appends the rows of the next exchange: of each of its calls, and its own. False: that was all.
  bool next(std::vector<LedgerRow>& rows) {
    if (told_ == shape_.exchanges) return false;
    const std::uint64_t key = few(shape_.keys), model = few(shape_.models);
    LedgerRow row;
    row.id = fmt::format("req_{:016x}", told_);
    row.unix_ms =
        shape_.from_ms + static_cast<std::int64_t>(static_cast<double>(told_) / static_cast<double>(shape_.exchanges) *
                                                   static_cast<double>(shape_.to_ms - shape_.from_ms));
    row.key = fmt::format("key-{}", key);
    row.groups = fmt::format("company/team-{}", key % shape_.groups);
    if (any(3) != 0) row.tags = fmt::format("tag-{}", few(shape_.tags));
    if (any(4) == 0) row.tags += fmt::format("{}project-{}", row.tags.empty() ? "" : ",", few(shape_.tags));
    row.asked = row.model = fmt::format("model-{}", model);
    row.dialect = "openai_chat";
    row.operation = "chat";
    row.stream = any(2) == 0;
    row.status = 200;
    row.took_ms = static_cast<std::int64_t>(any(20'000));
    row.bytes_in = any(100'000);
    row.bytes_out = any(10'000);
    const std::uint64_t calls = any(20) == 0 ? 2 : 1;
    const bool failed = any(50) == 0;
    for (std::uint64_t i = 1; i <= calls; ++i) {
      LedgerRow call = row;
      call.attempt = static_cast<std::int64_t>(i);
      call.backend = fmt::format("backend-{}", (model + i) % shape_.backends);
      call.price = fmt::format("input={} output={}", model % 7 + 1, model % 7 * 4 + 1);
      call.formula_version = 1;
      call.exact.set(Bucket::input, static_cast<std::int64_t>(any(5'000)));
      call.exact.set(Bucket::cache_read, static_cast<std::int64_t>(any(3) * any(2'000)));
      (i < calls || failed ? call.estimated : call.exact).set(Bucket::output, static_cast<std::int64_t>(any(2'000)));
      call.nano_dollars = static_cast<std::int64_t>(any(50'000'000));
      call.unknown = any(100) == 0 ? 1 : 0;
      if (i < calls || failed) call.state = RowState::partial;
      row.backend = call.backend;
      rows.push_back(std::move(call));
    }
    if (failed) row.state = RowState::partial;
    rows.push_back(std::move(row));
    ++told_;
    return true;
  }

 private:
  std::uint64_t any(std::uint64_t below) {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return (z ^ (z >> 31)) % below;
  }
  // The first come more often than the last.
  std::uint64_t few(std::uint64_t below) { return any(any(below) + 1); }

  Shape shape_;
  std::int64_t told_ = 0;
  std::uint64_t state_ = 1;
};

}  // namespace sluice
