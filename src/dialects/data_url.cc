// SPDX-License-Identifier: MIT
#include "dialects/data_url.h"

#include <algorithm>

#include "base/text.h"

namespace sluice {

std::optional<DataUrl> read_data_url(std::string_view url) {
  if (!istarts_with(url, "data:")) return std::nullopt;
  const auto comma = url.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view head = url.substr(5, comma - 5);
  const auto last = head.rfind(';');
  if (last == std::string_view::npos || !iequals(head.substr(last + 1), "base64")) return std::nullopt;
  return DataUrl{.mime = head.substr(0, head.find(';')), .base64 = url.substr(comma + 1)};
}

std::string write_data_url(std::string_view mime, std::string_view base64) {
  std::string out = "data:";
  out.reserve(out.size() + mime.size() + base64.size() + 16);
  out += mime.empty() ? std::string_view("application/octet-stream") : mime;
  out += ";base64,";
  out += base64;
  return out;
}

std::string standard_base64(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '-', '+');
  std::ranges::replace(out, '_', '/');
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

}  // namespace sluice
