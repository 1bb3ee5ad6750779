// SPDX-License-Identifier: MIT
#include "base/json_watch.h"

#include <algorithm>

#include "base/json.h"

namespace sluice::json {

Watch::Watch(std::span<const std::string_view> pointers, std::size_t most)
    : pointers_(pointers), kept_(pointers.size()), elements_(pointers.size()), most_(most) {}

void Watch::restart() {
  depth_ = 0;
  objects_ = 0;
  path_.clear();
  value_.clear();
  keeping_ = -1;
  string_ = key_ = escaped_ = wants_key_ = false;
}

std::string_view Watch::raw(std::string_view pointer) const {
  const auto found = std::ranges::find(pointers_, pointer);
  if (found == pointers_.end()) return {};
  return kept_[static_cast<std::size_t>(found - pointers_.begin())];
}

std::optional<std::size_t> Watch::elements(std::string_view pointer) const {
  const auto found = std::ranges::find(pointers_, pointer);
  if (found == pointers_.end()) return std::nullopt;
  return elements_[static_cast<std::size_t>(found - pointers_.begin())];
}

std::string Watch::text(std::string_view pointer) const {
  const std::string_view value = raw(pointer);
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return {};
  return unescape(value.substr(1, value.size() - 2));
}

// The value behind a name begins.
void Watch::begin_value() {
  if (keeping_ >= 0) return;
  const auto found = std::ranges::find(pointers_, path_);
  if (found == pointers_.end()) return;
  keeping_ = static_cast<int>(found - pointers_.begin());
  kept_depth_ = depth_;
  value_.clear();
  counted_ = 0;
  array_ = false;
}

// A comma or a closing bracket at the depth of the member: its value is over.
void Watch::end_value() {
  if (keeping_ < 0 || depth_ != kept_depth_) return;
  if (value_.size() <= most_) {
    while (!value_.empty() && static_cast<unsigned char>(value_.back()) <= ' ') value_.pop_back();
    kept_[static_cast<std::size_t>(keeping_)] = value_;
  }
  if (array_) elements_[static_cast<std::size_t>(keeping_)] = counted_;
  keeping_ = -1;
}

// Elements are the commas between them and one more, unless there is nothing inside.
void Watch::count_element(char c) {
  if (depth_ == kept_depth_) {
    if (c == '[') array_ = true;
  } else if (array_ && c != ']' && static_cast<unsigned char>(c) > ' ') {
    counted_ = std::max<std::size_t>(counted_, 1) + (c == ',' ? 1 : 0);
  }
}

void Watch::in_string(std::string_view bytes, std::size_t& at) {
  while (at < bytes.size()) {
    const std::size_t from = at;
    if (escaped_) {
      escaped_ = false;
      ++at;
    } else {
      while (at < bytes.size() && bytes[at] != '"' && bytes[at] != '\\') ++at;
    }
    std::string_view part = bytes.substr(from, at - from);
    if (at < bytes.size() && part.size() == at - from && (bytes[at] == '"' || bytes[at] == '\\')) {
      const bool end = bytes[at] == '"';
      ++at;
      if (!end) escaped_ = true;
      if (key_ && path_.size() < 256) path_ += part;
      if (end && key_) {
        key_ = string_ = false;
        return;
      }
      if (keeping_ >= 0 && !key_ && value_.size() <= most_) value_ += bytes.substr(from, at - from);
      if (end) {
        string_ = false;
        return;
      }
      continue;
    }
    if (key_ && path_.size() < 256) path_ += part;
    if (keeping_ >= 0 && !key_ && value_.size() <= most_) value_ += part;
  }
}

void Watch::feed(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    if (string_) {
      in_string(bytes, at);
      continue;
    }
    const char c = bytes[at];
    const bool watched = depth_ >= 1 && depth_ <= deepest && (objects_ >> (depth_ - 1) & 1) != 0;
    if (c == ',' || c == '}' || c == ']') end_value();
    const bool keeps =
        keeping_ >= 0 && value_.size() <= most_ && (!value_.empty() || static_cast<unsigned char>(c) > ' ');
    if (keeping_ >= 0 && depth_ <= kept_depth_ + 1) count_element(c);
    switch (c) {
      case '"':
        string_ = true;
        key_ = keeping_ < 0 && watched && wants_key_;
        if (key_) {
          path_.resize(ends_[depth_]);
          path_ += '/';
          wants_key_ = false;
        }
        break;
      case ':':
        if (watched && keeping_ < 0) {
          begin_value();
          ++at;
          continue;
        }
        break;
      case '{':
      case '[':
        ++depth_;
        if (depth_ <= deepest) {
          const auto bit = static_cast<std::uint8_t>(1U << (depth_ - 1));
          // Inside an array there are no names to follow.
          const bool followed = c == '{' && (depth_ == 1 || (objects_ >> (depth_ - 2) & 1) != 0);
          objects_ = static_cast<std::uint8_t>(followed ? objects_ | bit : objects_ & ~bit);
          ends_[depth_] = depth_ == 1 ? 0 : path_.size();
          wants_key_ = followed;
        }
        break;
      case '}':
      case ']':
        if (depth_ > 0) --depth_;
        wants_key_ = false;
        break;
      case ',': wants_key_ = watched; break;
      default: break;
    }
    if (keeps && !key_) value_ += c;
    ++at;
  }
}

}  // namespace sluice::json
