// One line of the ledger: an exchange, or one call of it that may have cost money. What reports and bills are made of.
// Not here: how it is journalled (ledger/), where it is kept (ports/ledger_store.h). SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/reply.h"

namespace sluice {

struct Units;

// How it ended.
enum class RowState : std::uint8_t {
  complete,
  partial,         // it broke off after something of its answer had been there
  cancelled,       // nobody waited for it any more: the client left, or another target was quicker
  upstream_error,  // it failed, and nothing of its answer is known to have been made
  crashed,         // this process died before it ended
};
inline constexpr int row_state_count = static_cast<int>(RowState::crashed) + 1;
[[nodiscard]] std::string_view name(RowState state);

// What was used, one number per bucket. Those up to `reasoning` are disjoint: their sum is everything that passed.
enum class Bucket : std::uint8_t {
  input,
  cache_read,
  cache_write_5m,
  cache_write_1h,
  tool_input,
  output,
  reasoning,
  audio_input,  // of which, by modality
  image_input,
  audio_output,
  image_output,
  search_units,  // what is charged for beside tokens
  audio_ms,
  images,
  billed_input,  // where the vendor counts otherwise for its bill
  billed_output,
};
inline constexpr std::size_t bucket_count = static_cast<std::size_t>(Bucket::billed_output) + 1;
inline constexpr std::size_t disjoint_buckets = static_cast<std::size_t>(Bucket::reasoning) + 1;
// "cache_read", as columns and reports have it.
[[nodiscard]] std::string_view name(Bucket bucket);

class Buckets {
 public:
  Buckets() { counts_.fill(unknown); }
  // What is negative, as only a broken answer has it, is not known.
  Buckets(const Usage& usage, const Units& units);
  [[nodiscard]] std::optional<std::int64_t> get(Bucket bucket) const {
    const std::int64_t count = counts_[static_cast<std::size_t>(bucket)];
    return count < 0 ? std::nullopt : std::optional(count);
  }
  void set(Bucket bucket, std::optional<std::int64_t> count) {
    counts_[static_cast<std::size_t>(bucket)] = count && *count >= 0 ? *count : unknown;
  }
  [[nodiscard]] bool known() const;
  [[nodiscard]] std::int64_t total_input() const;
  [[nodiscard]] std::int64_t total_output() const;
  [[nodiscard]] Usage usage() const;
  [[nodiscard]] Units units() const;
  // What is known here, and where nothing is, of `other`.
  [[nodiscard]] Buckets or_else(const Buckets& other) const;
  [[nodiscard]] const std::array<std::int64_t, bucket_count>& raw() const { return counts_; }
  bool operator==(const Buckets&) const = default;

 private:
  static constexpr std::int64_t unknown = -1;
  std::array<std::int64_t, bucket_count> counts_;
};

// Its name is id, attempt and revision.
struct LedgerRow {
  std::string id;             // of the exchange
  std::int64_t attempt = 0;   // 0: the exchange itself, which costs what its attempts cost; else which call, from 1
  std::int64_t revision = 0;  // above 0: the same, priced anew; the highest counts
  std::string mirror_of;      // of a copy: the exchange that it is a copy of
  std::int64_t unix_ms = 0;   // when the exchange began, also in the rows of its attempts
  std::string key;            // who asked
  std::string groups;         // the groups above the key, the outermost first: "acme/research"
  std::string tags;           // of the request: "a,b"
  std::string asked;          // the model as the client said it
  std::string model;          // the upstream's name for what was called
  std::string served;         // what the upstream said it was
  std::string backend;
  std::string dialect;  // the client's
  std::string operation;
  std::string lane;  // the vendor's, for prices that differ by it
  RowState state = RowState::complete;
  bool stream = false, hedge = false, mirror = false, coalesced = false;
  int status = 0;     // what came of the call; of an exchange: what the client got
  std::string fault;  // empty: none
  std::int64_t took_ms = 0;
  std::int64_t first_token_ms = -1;  // since the exchange began; -1: there was none
  std::uint64_t bytes_in = 0, bytes_out = 0;
  Buckets exact;      // as the vendor told it
  Buckets estimated;  // where it did not
  std::int64_t nano_dollars = 0;
  std::uint32_t unknown = 0;  // charges, as bits (pricing/price.h), whose price or count is not known
  std::string price;          // as it was then: write_price()
  int formula_version = 0;
  bool operator==(const LedgerRow&) const = default;
};

}  // namespace sluice
