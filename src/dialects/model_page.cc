// SPDX-License-Identifier: MIT
#include "dialects/model_page.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::size_t longest = 1000;

std::unexpected<Failure> wrong(std::string message, std::string_view param) {
  return fail({.fault = Fault::bad_request, .message = std::move(message), .param = std::string(param)});
}

// The value of a parameter, decoded; nullopt when it is missing or empty.
Result<std::optional<std::string>> value(std::string_view query, std::string_view name) {
  while (!query.empty() && !name.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const auto equals = one.find('=');
    if (equals == std::string_view::npos || one.substr(0, equals) != name || equals + 1 == one.size()) continue;
    std::string raw(one.substr(equals + 1));
    std::ranges::replace(raw, '+', ' ');  // as forms write it, and most SDKs
    auto text = percent_decode(raw);
    if (!text) return wrong("It holds a broken % escape.", name);
    return text;
  }
  return std::optional<std::string>();
}

Result<std::size_t> read_size(std::string_view query, std::string_view name) {
  TRY(const auto text, value(query, name));
  if (!text) return longest;
  std::size_t out = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (failed != std::errc() || end != text->data() + text->size() || out == 0)
    return wrong("It must be a whole number above zero.", name);
  return std::min(out, longest);
}

}  // namespace

Result<ModelPage> model_page(std::span<const ModelRow> rows, const PageWords& words, std::string_view query) {
  if (words.size.empty()) return ModelPage{rows};
  TRY(const std::size_t size, read_size(query, words.size));
  TRY(const auto after, value(query, words.after));
  TRY(const auto before, value(query, words.before));
  if (after && before) return wrong("Only one direction may be asked for.", words.before);
  std::size_t from = 0, to = rows.size();
  if (after || before) {
    const auto at = std::ranges::find(rows, after ? *after : *before, &ModelRow::id);
    if (at == rows.end())
      return wrong("There is no such model in the list any more: begin anew.", after ? words.after : words.before);
    const auto index = static_cast<std::size_t>(at - rows.begin());
    after ? from = index + 1 : to = index;
  }
  const std::size_t count = std::min(size, to - from);
  const bool more = count < to - from;
  return ModelPage{rows.subspan(before ? to - count : from, count), more};
}

}  // namespace sluice
