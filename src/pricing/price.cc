// SPDX-License-Identifier: MIT
#include "pricing/price.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <tuple>

#include "base/money.h"

namespace sluice {
namespace {

__extension__ using Wide = __int128;

struct ChargeRow {
  std::string_view name;
  bool per_million;
};
constexpr std::array<ChargeRow, charge_count> charges = {{{"input", true},
                                                          {"cache_read", true},
                                                          {"cache_write", true},
                                                          {"cache_write_1h", true},
                                                          {"output", true},
                                                          {"reasoning", true},
                                                          {"audio_input", true},
                                                          {"image_input", true},
                                                          {"audio_output", true},
                                                          {"image_output", true},
                                                          {"search_unit", false},
                                                          {"audio_second", false},
                                                          {"image", false}}};
constexpr std::array<std::string_view, 4> lanes = {"standard", "batch", "flex", "priority"};

// Of a price as text: dollars for a million or for one, as nano-dollars for a million.
int shift(Charge charge) {
  return per_million(charge) ? 9 : 15;
}

auto order(const Rate& rate) {
  return std::tuple(rate.lane, rate.above, rate.charge);
}

Result<Rate> read_rate(std::string_view word) {
  const auto wrong = [&] { return fail(Fault::bad_request, "This is no price: " + std::string(word)); };
  Rate out;
  const auto equals = word.find('=');
  if (equals == std::string_view::npos) return wrong();
  std::string_view left = word.substr(0, equals);
  if (const auto dot = left.find('.'); dot != std::string_view::npos) {
    const auto lane = std::ranges::find(lanes, left.substr(0, dot));
    if (lane == lanes.end()) return wrong();
    out.lane = static_cast<Lane>(lane - lanes.begin());
    left.remove_prefix(dot + 1);
  }
  if (const auto threshold = left.find('>'); threshold != std::string_view::npos) {
    const std::string_view number = left.substr(threshold + 1);
    const auto [end, bad] = std::from_chars(number.data(), number.data() + number.size(), out.above);
    if (bad != std::errc() || end != number.data() + number.size() || out.above < 0) return wrong();
    left = left.substr(0, threshold);
  }
  const auto charge = std::ranges::find(charges, left, &ChargeRow::name);
  if (charge == charges.end()) return wrong();
  out.charge = static_cast<Charge>(charge - charges.begin());
  const auto value = read_decimal(word.substr(equals + 1), shift(out.charge));
  if (!value) return wrong();
  out.nano_per_million = *value;
  return out;
}

// What one answer adds up to, in 10^-9 nano-dollars: a rate is for a million, and audio comes in thousandths of a
// second.
class Sum {
 public:
  Sum(const Price& price, Lane lane, std::int64_t total_input)
      : price_(price), lane_(lane), total_input_(total_input) {}

  void add(Charge charge, std::int64_t count, std::int64_t thousandths = 1000) {
    counted_ = true;
    if (count <= 0) return;
    const auto rate = price_.rate(charge, lane_, total_input_);
    if (!rate) return miss(charge);
    sum_ += Wide(count) * *rate * thousandths;
  }
  void miss(Charge charge) { unknown_ |= 1U << static_cast<unsigned>(charge); }
  // A count that was not told, of something that costs.
  void miss_count(Charge charge) {
    if (price_.has(charge) && price_.rate(charge, lane_, total_input_) != 0) miss(charge);
  }
  [[nodiscard]] Charge or_else(Charge own, Charge other) const { return price_.has(own) ? own : other; }

  [[nodiscard]] Cost total() {
    if (!counted_ || price_.empty()) miss(Charge::input);
    constexpr Wide scale = 1'000'000'000;
    const Wide nano = (sum_ + scale / 2) / scale;
    constexpr Wide most = std::numeric_limits<std::int64_t>::max();
    return {.nano_dollars = static_cast<std::int64_t>(std::min(nano, most)), .unknown = unknown_};
  }

 private:
  const Price& price_;
  Lane lane_;
  std::int64_t total_input_;
  Wide sum_ = 0;
  std::uint32_t unknown_ = 0;
  bool counted_ = false;
};

std::int64_t count(const std::optional<std::int64_t>& bucket) {
  return std::max<std::int64_t>(bucket.value_or(0), 0);
}

void add_input(Sum& sum, const Usage& usage) {
  if (usage.billed_input) return sum.add(Charge::input, *usage.billed_input);
  if (!usage.input && !usage.tool_input) {
    sum.miss_count(Charge::input);
  } else {
    std::int64_t plain = count(usage.input) + count(usage.tool_input);
    const std::int64_t audio = std::min(count(usage.audio_input), plain);
    sum.add(sum.or_else(Charge::audio_input, Charge::input), audio);
    plain -= audio;
    const std::int64_t images = std::min(count(usage.image_input), plain);
    sum.add(sum.or_else(Charge::image_input, Charge::input), images);
    sum.add(Charge::input, plain - images);
  }
  if (usage.cache_read) sum.add(Charge::cache_read, *usage.cache_read);
  if (usage.cache_write_5m) sum.add(Charge::cache_write_5m, *usage.cache_write_5m);
  if (usage.cache_write_1h) sum.add(Charge::cache_write_1h, *usage.cache_write_1h);
}

void add_output(Sum& sum, const Usage& usage) {
  if (usage.billed_output) return sum.add(Charge::output, *usage.billed_output);
  if (usage.billed_input && !usage.output) return;  // a bill that names no output has none
  if (usage.reasoning) sum.add(sum.or_else(Charge::reasoning, Charge::output), *usage.reasoning);
  // What only says pictures, or only speaks, says nothing else.
  const Charge visible =
      sum.or_else(Charge::output, sum.or_else(Charge::image_output, sum.or_else(Charge::audio_output, Charge::output)));
  if (!usage.output) return sum.miss_count(visible);
  std::int64_t rest = count(usage.output);
  const std::int64_t audio = std::min(count(usage.audio_output), rest);
  sum.add(Charge::audio_output, audio);
  rest -= audio;
  const std::int64_t images = std::min(count(usage.image_output), rest);
  sum.add(Charge::image_output, images);
  sum.add(visible, rest - images);
}

}  // namespace

std::string_view name(Charge charge) {
  return charges.at(static_cast<std::size_t>(charge)).name;
}

bool per_million(Charge charge) {
  return charges.at(static_cast<std::size_t>(charge)).per_million;
}

Lane lane_of(std::string_view tier) {
  const auto found = std::ranges::find(lanes, tier);
  return found == lanes.end() ? Lane::standard : static_cast<Lane>(found - lanes.begin());
}

void Price::set(const Rate& rate) {
  const auto at = std::ranges::lower_bound(rates_, order(rate), {}, order);
  if (at != rates_.end() && order(*at) == order(rate)) {
    *at = rate;
  } else {
    rates_.insert(at, rate);
  }
}

std::optional<std::int64_t> Price::rate(Charge charge, Lane lane, std::int64_t total_input) const {
  std::int64_t above = 0;
  for (const Rate& one : rates_) {
    if (one.lane == lane && one.above < total_input) above = std::max(above, one.above);
  }
  const Rate wanted{.charge = charge, .lane = lane, .above = above};
  const auto at = std::ranges::lower_bound(rates_, order(wanted), {}, order);
  if (at == rates_.end() || order(*at) != order(wanted)) return std::nullopt;
  return at->nano_per_million;
}

bool Price::has(Charge charge) const {
  return std::ranges::find(rates_, charge, &Rate::charge) != rates_.end();
}

Result<Price> read_price(std::string_view text) {
  Price out;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) continue;
    TRY(const auto rate, read_rate(word));
    out.set(rate);
  }
  return out;
}

std::string write_price(const Price& price) {
  std::string out;
  for (const Rate& rate : price.rates()) {
    if (!out.empty()) out += ' ';
    if (rate.lane != Lane::standard) out += std::string(lanes.at(static_cast<std::size_t>(rate.lane))) + '.';
    out += name(rate.charge);
    if (rate.above > 0) out += '>' + std::to_string(rate.above);
    out += '=' + write_decimal(rate.nano_per_million, shift(rate.charge));
  }
  return out;
}

Cost cost(const Price& price, const Usage& usage, const Units& units, Lane lane) {
  Sum sum(price, lane, usage.total_input());
  const auto piece = [&](Charge charge, std::int64_t told, std::int64_t thousandths) {
    if (price.has(charge) && told >= 0) sum.add(charge, told, thousandths);
    if (price.has(charge) && told < 0) sum.miss_count(charge);
  };
  piece(Charge::search_unit, units.search_units, 1000);
  piece(Charge::audio_second, units.audio_ms, 1);
  piece(Charge::image, units.images, 1000);
  const bool by_piece = price.has(Charge::search_unit) || price.has(Charge::audio_second) || price.has(Charge::image);
  const bool by_output =
      price.has(Charge::output) || price.has(Charge::image_output) || price.has(Charge::audio_output);
  if (!by_piece || price.has(Charge::input)) add_input(sum, usage);
  if (!by_piece || by_output) add_output(sum, usage);
  return sum.total();
}

}  // namespace sluice
