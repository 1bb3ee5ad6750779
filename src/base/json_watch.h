// Follows a JSON text as it passes and keeps the values of a few members, so that an answer of any size can be counted
// without being held. It believes its text: what is no JSON yields nothing useful, and no error.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::json {

class Watch {
 public:
  // Members by pointer ("/usage", "/meta/billed_units"): objects only on the way, at most three names deep, no escapes.
  // The span must outlive it. A value longer than `most` bytes is not kept.
  explicit Watch(std::span<const std::string_view> pointers, std::size_t most = 16 * 1024);

  void feed(std::string_view bytes);
  // A new text begins; what was kept stays until it is said anew.
  void restart();
  // The raw value of a pointer, the last one when it stood more than once; empty when there was none.
  [[nodiscard]] std::string_view raw(std::string_view pointer) const;
  // How many elements the array at a pointer has, however long it is; nullopt when there was none.
  [[nodiscard]] std::optional<std::size_t> elements(std::string_view pointer) const;
  // The same as text, when it is a string.
  [[nodiscard]] std::string text(std::string_view pointer) const;

 private:
  static constexpr std::size_t deepest = 3;
  void begin_value();
  void end_value();
  void count_element(char c);
  void in_string(std::string_view bytes, std::size_t& at);
  std::span<const std::string_view> pointers_;
  std::vector<std::string> kept_;
  std::vector<std::optional<std::size_t>> elements_;
  std::size_t counted_ = 0;  // elements so far of the array that passes
  bool array_ = false;       // what passes is one
  std::size_t most_;
  std::size_t depth_ = 0;
  std::uint8_t objects_ = 0;            // bit i: the value at depth i + 1 is an object
  std::size_t ends_[deepest + 1] = {};  // of path_: where the name at each depth begins
  std::string path_;                    // pointer of the member that is being read
  std::string value_;
  int keeping_ = -1;  // index of the pointer whose value passes
  std::size_t kept_depth_ = 0;
  bool string_ = false, key_ = false, escaped_ = false, wants_key_ = false;
};

}  // namespace sluice::json
