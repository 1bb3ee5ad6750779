// SPDX-License-Identifier: MIT
#include "gateway/admin_words.h"

#include <charconv>

#include "base/text.h"
#include "gateway/passage.h"

namespace sluice::admin {
namespace {
constexpr std::string_view letters = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t length = 13;
}  // namespace

std::string id_text(std::string_view prefix, std::uint64_t id) {
  std::string out(prefix);
  for (int shift = 60; shift >= 0; shift -= 5) out += letters.at(id >> static_cast<unsigned>(shift) & 31);
  return out;
}

std::optional<std::uint64_t> read_id(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix) || text.size() != prefix.size() + length) return std::nullopt;
  std::uint64_t out = 0;
  for (const char c : text.substr(prefix.size())) {
    const auto digit = letters.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    out = out << 5 | digit;
  }
  return out;
}

Error bad(std::string message, std::string_view param) {
  return {.fault = Fault::bad_request, .message = std::move(message), .param = std::string(param)};
}

Error conflict(std::string message) {
  return {.fault = Fault::bad_request, .message = std::move(message), .code = "conflict", .status = 409};
}

Error missing(std::string_view what, std::string_view id) {
  return {.fault = Fault::not_found,
          .message = "There is no " + std::string(what) + " \"" + visible_ascii(id, 80) + "\".",
          .code = "not_found"};
}

Error no_such_method(std::string_view method, std::string_view allow) {
  Error error{.fault = Fault::method_not_allowed, .param = std::string(allow)};
  error.message = "This path takes " + std::string(allow) + ", not " + visible_ascii(method, 16) + ".";
  return error;
}

std::string query_text(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const auto equals = std::min(one.find('='), one.size());
    if (one.substr(0, equals) != name) continue;
    return percent_decode(one.substr(std::min(equals + 1, one.size()))).value_or(std::string());
  }
  return {};
}

Result<std::int64_t> read_limit(std::string_view query) {
  const std::string text = query_text(query, "limit");
  if (text.empty()) return 100;
  std::int64_t out = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (wrong != std::errc() || end != text.data() + text.size() || out < 1 || out > 1000)
    return fail(bad("\"limit\" must be a number from 1 to 1000.", "limit"));
  return out;
}

}  // namespace sluice::admin
