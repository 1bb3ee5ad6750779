// Print: text put together behind what a string holds already, for heads and log lines: many short pieces, most of them
// known when compiled. It makes room in large steps, so that a piece is one comparison and one copy.
// Not here: JSON (json.h) and formats (fmt). SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

namespace sluice {

class Print {
 public:
  // The string is complete again, and may be looked at, when the Print is gone.
  explicit Print(std::string& out, std::size_t room = 1024) : out_(out), at_(out.size()) { make(room); }
  ~Print() { out_.resize(at_); }
  Print(const Print&) = delete;
  Print& operator=(const Print&) = delete;

  // A literal, whose size is known when compiled.
  template <std::size_t size>
  [[gnu::always_inline]] void text(const char (&literal)[size]) {
    std::memcpy(room(size - 1), literal, size - 1);
    at_ += size - 1;
  }
  void text(std::string_view piece) {
    copy(room(piece.size()), piece.data(), piece.size());
    at_ += piece.size();
  }
  void character(char c) {
    *room(1) = c;
    ++at_;
  }
  void number(std::int64_t value) {
    if (value < 0) character('-');
    digits(value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
  }
  // Exactly three digits: thousandths of something.
  void three_digits(unsigned value) {
    char* to = room(3);
    to[0] = static_cast<char>('0' + value / 100);
    to[1] = static_cast<char>('0' + value / 10 % 10);
    to[2] = static_cast<char>('0' + value % 10);
    at_ += 3;
  }
  // Room for `size` bytes behind what was printed; took() tells how many of them are printed now.
  [[gnu::always_inline]] char* room(std::size_t size) {
    if (out_.size() - at_ < size) [[unlikely]]
      make(size);
    return out_.data() + at_;
  }
  void took(std::size_t size) { at_ += size; }
  // What is only written to a string: gets the string with all that stands in it so far.
  template <class Write>
  void through(Write&& write) {
    out_.resize(at_);
    write(out_);
    at_ = out_.size();
    make(least);
  }

 private:
  static constexpr std::size_t least = 256;
  [[gnu::noinline]] void make(std::size_t size) {
    out_.resize_and_overwrite(std::max(out_.capacity(), at_ + std::max(size, least)),
                              [](char*, std::size_t whole) { return whole; });
  }
  // memcpy without its call where that is the larger part.
  static void copy(char* to, const char* from, std::size_t size) {
    const auto ends = [&]<class Word>(Word first) {
      Word last;
      std::memcpy(&first, from, sizeof first);
      std::memcpy(&last, from + size - sizeof last, sizeof last);
      std::memcpy(to, &first, sizeof first);
      std::memcpy(to + size - sizeof last, &last, sizeof last);
    };
    if (size > 16) {
      std::memcpy(to, from, size);
    } else if (size >= 8) {
      ends(std::uint64_t{});
    } else if (size >= 4) {
      ends(std::uint32_t{});
    } else {
      for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
    }
  }
  void digits(std::uint64_t value) {
    char all[20];
    char* first = std::end(all);
    do {
      *--first = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    text(std::string_view(first, std::end(all)));
  }

  std::string& out_;
  std::size_t at_;  // how much of out_ is written
};

inline void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  out.append(digits, static_cast<std::size_t>(std::to_chars(digits, std::end(digits), number).ptr - digits));
}

}  // namespace sluice
