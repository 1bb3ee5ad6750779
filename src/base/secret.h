// A text that cannot be printed: no stream operator, no formatter, no conversion. Wiped when it dies.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::exchange(other.text_, {})) {}
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = std::exchange(other.text_, {});
    }
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] bool empty() const { return text_.empty(); }
  // The text itself, for the one place that must send it. The view dies with the Secret.
  [[nodiscard]] std::string_view reveal() const { return text_; }
  // Equal without telling by time where they differ (their lengths are no secret).
  [[nodiscard]] bool equals(std::string_view other) const {
    if (other.size() != text_.size()) return false;
    unsigned char differ = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) differ |= static_cast<unsigned char>(text_[i] ^ other[i]);
    return differ == 0;
  }
  // Takes the text out of what others wrote, an upstream's error for example: "[key]" stands in its place. Too short a
  // secret would take out what is none.
  void erase_from(std::string& text) const {
    if (text_.size() < 8) return;
    for (std::size_t at = text.find(text_); at != std::string::npos; at = text.find(text_, at))
      text.replace(at, text_.size(), "[key]");
  }

 private:
  void wipe() {
    volatile char* bytes = text_.data();
    for (std::size_t i = 0; i < text_.size(); ++i) bytes[i] = 0;
  }
  std::string text_;
};

}  // namespace sluice
