// SPDX-License-Identifier: MIT
#include "tokens/pieces.h"

#include "tokens/letters.h"

namespace sluice {
namespace {

bool is_letter(Letter letter) {
  return letter == Letter::upper || letter == Letter::lower || letter == Letter::other;
}
// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
bool is_upperish(Letter letter) {
  return letter == Letter::upper || letter == Letter::other || letter == Letter::mark;
}
// [\p{Ll}\p{Lm}\p{Lo}\p{M}]
bool is_lowerish(Letter letter) {
  return letter == Letter::lower || letter == Letter::other || letter == Letter::mark;
}
// [^\s\p{L}\p{N}]
bool is_mark(Letter letter) {
  return letter == Letter::none || letter == Letter::mark;
}
bool is_line(char c) {
  return c == '\r' || c == '\n';
}

class Cut {
 public:
  Cut(std::string_view text, std::size_t at) : text_(text), at_(at), first_(sign_at(text, at)) {}

  // The first two alternatives of the expression are words, each with one sign before it or without: in that order.
  [[nodiscard]] std::size_t o200k() const {
    const std::size_t behind = at_ + first_.size;
    const bool leads = !is_letter(first_.letter) && first_.letter != Letter::number && !is_line(text_[at_]);
    const bool begins = is_letter(first_.letter) || first_.letter == Letter::mark;
    std::size_t end = leads ? cased(behind) : 0;
    if (end == 0 && begins) end = cased(at_);
    if (end == 0 && leads) end = capitals(behind);
    if (end == 0 && begins) end = capitals(at_);
    if (end > 0) return end + contraction(end);
    if (first_.letter == Letter::number) return digits();
    end = marked();
    if (end == 0) return blank(false);
    while (end < text_.size() && (is_line(text_[end]) || text_[end] == '/')) ++end;
    return end;
  }

  [[nodiscard]] std::size_t cl100k() const {
    if (text_[at_] == '\'') {
      if (const std::size_t size = contraction(at_)) return at_ + size;
    }
    if (is_letter(first_.letter)) return run(at_, is_letter);
    if (first_.letter == Letter::number) return digits();
    const std::size_t behind = at_ + first_.size;
    if (!is_line(text_[at_]) && behind < text_.size() && is_letter(sign_at(text_, behind).letter))
      return run(behind, is_letter);
    std::size_t end = marked();
    if (end == 0) return blank(true);
    while (end < text_.size() && is_line(text_[end])) ++end;
    return end;
  }

 private:
  template <class Is>
  [[nodiscard]] std::size_t run(std::size_t at, Is is) const {
    while (at < text_.size()) {
      const Sign sign = sign_at(text_, at);
      if (!is(sign.letter)) break;
      at += sign.size;
    }
    return at;
  }

  // upperish* lowerish+, as a regular expression matches it: what is both goes to the first as far as that leaves one
  // for the second. 0: no match.
  [[nodiscard]] std::size_t cased(std::size_t at) const {
    std::size_t both_end = 0;
    while (at < text_.size()) {
      const Sign sign = sign_at(text_, at);
      if (!is_upperish(sign.letter)) break;
      at += sign.size;
      if (is_lowerish(sign.letter)) both_end = at;
    }
    const std::size_t end = run(at, is_lowerish);
    return end > at ? end : both_end;
  }

  // upperish+, where no lowerish one follows. 0: no match.
  [[nodiscard]] std::size_t capitals(std::size_t at) const {
    const std::size_t end = run(at, is_upperish);
    return end > at ? end : 0;
  }

  // (?i:'s|'t|'re|'ve|'m|'ll|'d): its size at `at`, 0: none. The long s is an s to that expression.
  [[nodiscard]] std::size_t contraction(std::size_t at) const {
    const auto small = [&](std::size_t i) {
      const char c = at + i < text_.size() ? text_[at + i] : '\0';
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    if (small(0) != '\'') return 0;
    if (text_.substr(at + 1).starts_with("\xc5\xbf")) return 3;
    const char first = small(1), second = small(2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    const bool two = ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l');
    return two ? 3 : 0;
  }

  [[nodiscard]] std::size_t digits() const {
    std::size_t end = at_;
    for (int i = 0; i < 3 && end < text_.size(); ++i) {
      const Sign sign = sign_at(text_, end);
      if (sign.letter != Letter::number) break;
      end += sign.size;
    }
    return end;
  }

  // " ?" and marks; 0: none.
  [[nodiscard]] std::size_t marked() const {
    const std::size_t from = text_[at_] == ' ' ? at_ + 1 : at_;
    const std::size_t end = run(from, is_mark);
    return end > from ? end : 0;
  }

  // White space begins here: up to its last line's end; else all but the last, which the next word takes. `whole_tail`:
  // at the end of the text all of it, whatever lines it has.
  [[nodiscard]] std::size_t blank(bool whole_tail) const {
    std::size_t end = at_, last = at_, line = 0;
    while (end < text_.size()) {
      const Sign sign = sign_at(text_, end);
      if (sign.letter != Letter::space) break;
      if (is_line(text_[end])) line = end + 1;
      last = end;
      end += sign.size;
    }
    if (whole_tail && end == text_.size()) return end;
    if (line > 0) return line;
    return end == text_.size() || last == at_ ? end : last;
  }

  std::string_view text_;
  std::size_t at_;
  Sign first_;
};

}  // namespace

std::size_t piece_end(std::string_view text, std::size_t at, Encoding encoding) {
  const Cut cut(text, at);
  return encoding == Encoding::o200k ? cut.o200k() : cut.cl100k();
}

}  // namespace sluice
