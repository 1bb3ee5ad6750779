// Looks for one field of a multipart/form-data body as it passes (RFC 7578): its value and where it stands, nothing of
// the other parts is kept. Strict: the body begins with its delimiter, lines end in CRLF, the boundary has at most 70
// bytes; each byte is looked at a bounded number of times. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// The boundary that a Content-Type field names; nullopt when it is not multipart/form-data or names none that is legal.
[[nodiscard]] std::optional<std::string> multipart_boundary(std::string_view content_type);

class MultipartScan {
 public:
  static constexpr std::size_t most_value = 1024;

  // `name` must outlive it.
  MultipartScan(std::string_view boundary, std::string_view name);

  // Takes the next bytes of the body, cut anywhere.
  void feed(std::string_view bytes);

  // The field was seen whole. Its value, and its span in the body.
  [[nodiscard]] bool found() const { return found_ != 0; }
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] std::uint64_t value_at() const { return value_at_; }
  // It stands twice: two readers would choose differently.
  [[nodiscard]] bool twice() const { return found_ > 1; }
  // The last delimiter has passed.
  [[nodiscard]] bool over() const { return state_ == State::over; }
  // The body is not what this reader takes for multipart, or the value is longer than most_value. Nothing more is read.
  [[nodiscard]] bool broken() const { return state_ == State::broken; }

 private:
  enum class State : std::uint8_t { content, delimited, fields, over, broken };
  [[nodiscard]] bool step();
  void read_fields(std::string_view fields);
  std::string delimiter_;  // CRLF, two dashes, boundary
  std::string_view name_;
  std::string held_ = "\r\n";  // what is not decided yet; the first delimiter stands as if after a line end
  std::int64_t at_ = -2;       // offset of held_ in the body
  std::string current_;        // the value that is being read
  std::int64_t current_at_ = 0;
  std::string value_;
  std::uint64_t value_at_ = 0;
  int found_ = 0;
  State state_ = State::content;
  bool wanted_ = false;  // the current part is the field
  bool begun_ = false;   // the first delimiter has passed
};

}  // namespace sluice
