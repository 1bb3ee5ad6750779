// SPDX-License-Identifier: MIT
#include "dialects/spare.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice {
namespace {

constexpr char divider = '\x1f';

// The key is made once and moved: most messages hold many of these.
void add(Extras& extras, DialectId from, std::string_view inner, std::string_view key, std::string_view raw) {
  std::string whole;
  whole.reserve(inner.size() + 1 + key.size());
  whole.append(inner).append(1, divider).append(key);
  extras.origin = from;
  extras.members.push_back({.key = std::move(whole), .raw = std::string(raw)});
}

std::string_view unknown_to(DialectId to) {
  static const auto reasons = [] {
    std::array<std::string, static_cast<std::size_t>(DialectId::openai_completions) + 1> out;
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = std::string(name(static_cast<DialectId>(i))) + " does not know it";
    return out;
  }();
  return reasons[static_cast<std::size_t>(to)];
}

bool is_inner(const Extra& extra, std::string_view inner) {
  return extra.key.size() > inner.size() && extra.key[inner.size()] == divider && extra.key.starts_with(inner);
}

}  // namespace

void add_inner(Extras& extras, DialectId from, std::string_view inner, std::string_view key, std::string_view raw) {
  add(extras, from, inner, key, raw);
}

void remember(Extras& extras, DialectId from, std::string_view word, std::string_view raw) {
  add(extras, from, "", word, raw);
}

std::string_view remembered(const Extras& extras, DialectId to, std::string_view word) {
  if (extras.origin != to) return {};
  for (const Extra& extra : extras.members) {
    if (extra.key.size() == word.size() + 1 && extra.key[0] == divider && extra.key.ends_with(word)) return extra.raw;
  }
  return {};
}

bool is_memory(const Extra& extra) {
  return extra.key.starts_with(divider);
}

void write_extras(json::Writer& out, const Extras& extras, DialectId to, const Pointer& pointer, Notes& notes) {
  if (extras.origin != to) return note_extras(extras, to, pointer, notes);
  for (const Extra& extra : extras.members) {
    if (extra.key.find(divider) == std::string::npos) out.member_raw(extra.key, extra.raw);
  }
}

void write_inner_extras(json::Writer& out, const Extras& extras, DialectId to, std::string_view inner) {
  if (extras.origin != to) return;
  for (const Extra& extra : extras.members) {
    if (is_inner(extra, inner)) out.member_raw(std::string_view(extra.key).substr(inner.size() + 1), extra.raw);
  }
}

bool has_inner_extras(const Extras& extras, DialectId to, std::string_view inner) {
  return extras.origin == to &&
         std::ranges::any_of(extras.members, [&](const Extra& extra) { return is_inner(extra, inner); });
}

void note_extras(const Extras& extras, DialectId to, const Pointer& pointer, Notes& notes) {
  if (extras.origin == to) return;
  for (const Extra& extra : extras.members) {
    if (is_memory(extra) || extra.raw == "null") continue;
    const auto split = extra.key.find(divider);
    std::string at(pointer);
    std::string_view inner = std::string_view(extra.key).substr(0, split);
    const bool outer = split != std::string::npos && inner.starts_with("..");
    for (; outer && !inner.empty(); inner.remove_prefix(std::min<std::size_t>(3, inner.size()))) {
      at.resize(std::min(at.size(), at.rfind('/')));
    }
    if (!outer) at += '/' + json::pointer_token(inner);
    if (split != std::string::npos) at += '/' + json::pointer_token(std::string_view(extra.key).substr(split + 1));
    notes.lost(std::move(at), unknown_to(to));
  }
}

}  // namespace sluice
