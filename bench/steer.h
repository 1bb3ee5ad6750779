// What mock and load client agree on: how a model's name steers the mock's reply, the marks by which the load client
// knows that a request or reply came through whole, and the clock. No I/O.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string_view>

namespace bench {

// `mock-c60-d5-s2000`: c = events of a stream, d = milliseconds before each event (or before a whole reply),
// s = bytes of text in a whole reply. Other parts of the name mean nothing.
struct Steering {
  unsigned events = 60;
  std::uint64_t pace_ns = 0;
  std::size_t text = 780;
};

inline Steering read_steering(std::string_view model) {
  Steering out;
  while (!model.empty()) {
    const auto dash = model.find('-');
    const std::string_view part = model.substr(0, dash);
    model.remove_prefix(dash == model.npos ? model.size() : dash + 1);
    std::uint64_t value = 0;
    if (part.size() < 2) continue;
    const auto [end, fault] = std::from_chars(part.data() + 1, part.data() + part.size(), value);
    if (fault != std::errc{} || end != part.data() + part.size()) continue;
    if (part[0] == 'c' && value > 0) out.events = static_cast<unsigned>(value);
    if (part[0] == 'd') out.pace_ns = value * 1'000'000;
    if (part[0] == 's') out.text = value;
  }
  return out;
}

// Every prompt ends with " tag=XXXXXXXX END-OF-PROMPT": the mock refuses a body without that end and puts the tag into
// every event and every whole reply, so that the client sees whether it was given its own answer.
inline constexpr std::string_view tag_name = "tag=";
inline constexpr std::size_t tag_size = 8;
inline constexpr std::string_view prompt_end = "END-OF-PROMPT";
inline constexpr std::string_view reply_end = "END-OF-REPLY";
inline constexpr std::string_view stamp_name = "at=";  // CLOCK_MONOTONIC, nanoseconds, in every paced event
using Tag = std::array<char, tag_size>;

inline constexpr unsigned input_tokens = 212;
inline constexpr unsigned output_tokens = 180;

inline std::uint64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

}  // namespace bench
