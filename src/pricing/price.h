// What a model costs, and the one formula: usage x price -> nano-dollars. Prices are dollars as vendors list them: per
// million tokens, per search unit, second of audio, image. What is not known stays unknown and is not zero.
// Not counted, because no Usage tells it: searches of the web, calls of other server tools, characters of speech,
// pixels. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "model/reply.h"

namespace sluice {

// Goes up with every change of what cost() answers to the same question; a bill keeps it beside the price.
inline constexpr int formula_version = 1;

// What is charged for. The buckets of Usage and Units, where one price goes with each.
enum class Charge : std::uint8_t {
  input,
  cache_read,
  cache_write_5m,
  cache_write_1h,
  output,
  reasoning,  // as output, where a price has none of its own
  audio_input,
  image_input,
  audio_output,
  image_output,
  search_unit,
  audio_second,
  image,
};
inline constexpr int charge_count = static_cast<int>(Charge::image) + 1;
// "cache_read", as price texts and settings have it.
[[nodiscard]] std::string_view name(Charge charge);
// Whether it is priced per million (tokens) or by the piece.
[[nodiscard]] bool per_million(Charge charge);

// The vendor's lane for a call, as answers tell it.
enum class Lane : std::uint8_t { standard, batch, flex, priority };
// What is none of the words is the standard one: "default", "on_demand", "auto", "".
[[nodiscard]] Lane lane_of(std::string_view tier);

struct Rate {
  Charge charge = Charge::input;
  Lane lane = Lane::standard;
  std::int64_t above = 0;             // for calls with more tokens of input than these, all of their tokens
  std::int64_t nano_per_million = 0;  // nano-dollars for a million of it
  bool operator==(const Rate&) const = default;
};

// All rates of one model.
class Price {
 public:
  // In place of one for the same charge, lane and threshold.
  void set(const Rate& rate);
  // What a call with so much input pays; nullopt: not known. A lane or a threshold that has rates, but none for this
  // charge, leaves it unknown: the standard one would be a guess.
  [[nodiscard]] std::optional<std::int64_t> rate(Charge charge, Lane lane = Lane::standard,
                                                 std::int64_t total_input = 0) const;
  // Whether the charge has a rate of its own in any lane.
  [[nodiscard]] bool has(Charge charge) const;
  [[nodiscard]] bool empty() const { return rates_.empty(); }
  [[nodiscard]] std::span<const Rate> rates() const { return rates_; }
  bool operator==(const Price&) const = default;

 private:
  std::vector<Rate> rates_;  // by lane, threshold, charge
};

// "input=2.5 output=10 batch.input=1.25 input>200000=5": dollars. An empty text is a price of which nothing is known.
// Errors: bad_request, with the word that is wrong.
[[nodiscard]] Result<Price> read_price(std::string_view text);
[[nodiscard]] std::string write_price(const Price& price);

struct Cost {
  std::int64_t nano_dollars = 0;  // of what is known, rounded once, halves up
  std::uint32_t unknown = 0;      // charges, as bits, whose price or count is not known
  [[nodiscard]] bool known() const { return unknown == 0; }
  [[nodiscard]] bool knows(Charge charge) const { return (unknown >> static_cast<unsigned>(charge) & 1) == 0; }
  bool operator==(const Cost&) const = default;
};

// What an answer cost. Where the vendor counts differently for its bill (Usage::billed_input), that counts. Tokens of
// audio and images are taken for not cached as far as they can be: which of them were, no vendor tells. An answer that
// tells no count of anything that is charged for has no known cost.
[[nodiscard]] Cost cost(const Price& price, const Usage& usage, const Units& units = {}, Lane lane = Lane::standard);

}  // namespace sluice
