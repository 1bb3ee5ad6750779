// SPDX-License-Identifier: MIT
#include "dialects/reply_usage.h"

#include <algorithm>
#include <utility>

namespace sluice {

std::optional<Usage> reply_usage(std::string_view body, Usage (*read)(json::Value)) {
  const auto members = json::scan_object(body);
  if (!members) return std::nullopt;
  const auto usage = std::ranges::find(*members, "usage", &json::TopMember::key);
  if (usage == members->end() || usage->kind != json::Kind::object) return std::nullopt;
  json::Document doc;
  const auto root = doc.parse(usage->raw);
  if (!root) return std::nullopt;
  Usage out = read(*root);
  return out.known() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace sluice
