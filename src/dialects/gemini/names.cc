// SPDX-License-Identifier: MIT
#include "dialects/gemini/names.h"

#include <utility>

#include "base/text.h"

namespace sluice::gemini {

bool is_name(std::string_view key, std::string_view camel) {
  if (key == camel) return true;
  if (key.size() <= camel.size()) return false;  // each underscore makes it longer
  std::size_t at = 0;
  for (std::size_t i = 0; i < key.size(); ++i, ++at) {
    if (at >= camel.size()) return false;
    if (key[i] == '_' && i > 0 && i + 1 < key.size()) {
      ++i;
      if (camel[at] < 'A' || camel[at] > 'Z' || lower(camel[at]) != key[i]) return false;
    } else if (key[i] != camel[at]) {
      return false;
    }
  }
  return at == camel.size();
}

json::Value field(json::Value object, std::string_view camel) {
  for (const auto [key, value] : object.members()) {
    if (is_name(key, camel)) return value.is_null() ? json::Value() : value;
  }
  return {};
}

std::string to_camel(std::string_view key) {
  std::string out;
  out.reserve(key.size());
  for (std::size_t i = 0; i < key.size(); ++i) {
    const bool word = key[i] == '_' && i > 0 && i + 1 < key.size() && key[i + 1] >= 'a' && key[i + 1] <= 'z';
    out += word ? static_cast<char>(key[++i] - 32) : key[i];
  }
  return out;
}

void Leftovers::add(std::string_view key, std::string_view raw) {
  text_ += text_.empty() ? '{' : ',';
  json::append_quoted(text_, key);
  text_ += ':';
  text_ += raw;
}

std::string Leftovers::take() {
  std::string out = std::exchange(text_, {});
  out += '}';
  return out;
}

}  // namespace sluice::gemini
