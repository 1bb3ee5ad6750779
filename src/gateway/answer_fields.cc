// SPDX-License-Identifier: MIT
#include "gateway/answer_fields.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "dialects/registry.h"

namespace sluice {
namespace {

void append_limit(std::string& out, const http1::Fields& fields, const http1::Field& f, const LimitSpelling& from,
                  const FieldsFor& to, LimitsTold& limits) {
  limits.take(f.name, f.value, from, to.now_unix_ms);
  const auto name = read_limit_name(f.name, from);
  if (to.own.replace(f, name)) return;
  const LimitSpelling& spelling = to.client.limit_spelling();
  if (&from == &spelling) {
    http1::append_field(out, lower(f.name), f.value);
    return;
  }
  if (!name) return;
  const std::string theirs = name->in(spelling);
  if (fields.has(theirs)) return;  // it is told both ways
  if (const auto value = retell_limit(f.value, name->part, from, spelling, to.now_unix_ms))
    http1::append_field(out, theirs, *value);
}

}  // namespace

bool OwnLimits::replace(const http1::Field& field, const std::optional<LimitName>& name) const {
  if (name) return name->of == LimitOf::requests ? requests : tokens;
  return tokens && spelling_of(field.name) && lower(field.name).contains("tokens");
}

std::span<const std::string_view> request_id_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    for (const Dialect* one : dialects()) {
      if (std::ranges::find(out, one->request_id_header()) == out.end()) out.push_back(one->request_id_header());
    }
    return out;
  }();
  return names;
}

bool names_request_id(std::string_view field) {
  return std::ranges::any_of(request_id_names(), [&](std::string_view name) { return iequals(field, name); });
}

std::optional<LimitName> take_limit(const http1::Field& field, std::int64_t now_unix_ms, LimitsTold& limits) {
  const LimitSpelling* spelling = spelling_of(field.name);
  if (!spelling) return std::nullopt;
  limits.take(field.name, field.value, *spelling, now_unix_ms);
  return read_limit_name(field.name, *spelling);
}

void append_answer_fields(std::string& out, const http1::Fields& fields, const FieldsFor& to, LimitsTold& limits) {
  const std::string_view own = to.client.own_fields();
  for (const http1::Field& f : fields) {
    if (const LimitSpelling* spelling = spelling_of(f.name)) {
      append_limit(out, fields, f, *spelling, to, limits);
    } else if (names_request_id(f.name)) {
      http1::append_field(out, "x-sluice-upstream-request-id", f.value);
    } else if (iequals(f.name, "x-should-retry") || (!own.empty() && istarts_with(f.name, own))) {
      http1::append_field(out, lower(f.name), f.value);
    }
  }
}

}  // namespace sluice
