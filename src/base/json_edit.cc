// Edits by pointer that leave every other byte as it was. SPDX-License-Identifier: MIT
#include <charconv>

#include "base/json.h"

namespace sluice::json {
namespace {

std::vector<std::string> tokens_of(std::string_view pointer) {
  std::vector<std::string> out;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const auto slash = std::min(pointer.find('/'), pointer.size());
    std::string token;
    for (std::size_t i = 0; i < slash; ++i) {
      if (pointer[i] == '~' && i + 1 < slash) {
        token += pointer[++i] == '1' ? '/' : '~';
      } else {
        token += pointer[i];
      }
    }
    out.push_back(std::move(token));
    pointer.remove_prefix(slash);
  }
  return out;
}

Value step(Value parent, std::string_view token) {
  if (parent.is_object()) return parent[token];
  std::size_t index = 0;
  const auto [end, code] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (code != std::errc() || end != token.data() + token.size()) return {};
  return parent.at(index);
}

// `value` inside objects for the tokens that do not exist yet.
std::string nested(std::span<const std::string> missing, std::string_view value) {
  std::string out;
  for (const std::string& token : missing) {
    out += '{';
    append_quoted(out, token);
    out += ':';
  }
  out += value;
  out.append(missing.size(), '}');
  return out;
}

// Where the text of a member or element stands, with the comma that must go with it.
struct Span {
  std::size_t begin, end;
};
Span span_with_comma(std::string_view text, Value parent, Value child, std::size_t key_begin) {
  std::size_t begin = key_begin, end = child.offset() + child.raw().size();
  std::size_t after = end;
  while (after < text.size() && std::string_view(" \t\r\n").contains(text[after])) ++after;
  if (after < text.size() && text[after] == ',') return {begin, after + 1};
  std::size_t before = begin;
  while (before > parent.offset() + 1 && std::string_view(" \t\r\n").contains(text[before - 1])) --before;
  if (text[before - 1] == ',') return {before - 1, end};
  return {begin, end};
}

// Offset of the opening quote of the member name in front of `value`.
std::size_t key_offset(std::string_view text, Value parent, std::string_view key, std::string_view& name) {
  std::size_t from = parent.offset() + 1;
  for (const auto [member, value] : parent.members()) {
    if (member == key) {
      const auto quote = text.find('"', from);
      auto end = quote + 1;
      while (text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      name = text.substr(quote, end + 1 - quote);
      return quote;
    }
    from = value.offset() + value.raw().size();
  }
  return from;
}

Result<std::string> apply_one(std::string_view text, const Edit& edit) {
  Document doc;
  TRY(const Value root, doc.parse(text));
  const auto tokens = tokens_of(edit.pointer);
  if (tokens.empty()) return edit.op == Edit::Op::set ? edit.value : std::string(text);
  Value parent = root;
  std::size_t depth = 0;
  for (; depth + 1 < tokens.size(); ++depth) {
    const Value child = step(parent, tokens[depth]);
    if (!child) break;
    parent = child;
  }
  if (!parent.is_object() && !parent.is_array()) {
    return fail(Fault::bad_request,
                "The value at \"" + edit.pointer + "\" cannot be changed: a parent is no object or array.");
  }
  const std::span<const std::string> rest = std::span(tokens).subspan(depth);
  const Value child = step(parent, rest.front());
  std::string out;
  const auto splice = [&](std::size_t begin, std::size_t end, std::string_view with) {
    out.reserve(text.size() + with.size());
    out += text.substr(0, begin);
    out += with;
    out += text.substr(end);
    return out;
  };
  if (child && rest.size() == 1) {
    const std::size_t begin = child.offset(), end = begin + child.raw().size();
    if (edit.op == Edit::Op::set) return splice(begin, end, edit.value);
    std::string_view name;
    const std::size_t key = parent.is_object() ? key_offset(text, parent, rest.front(), name) : begin;
    if (edit.op == Edit::Op::rename)
      return parent.is_object() ? splice(key, key + name.size(), quote(edit.value)) : std::string(text);
    const Span gone = span_with_comma(text, parent, child, key);
    return splice(gone.begin, gone.end, "");
  }
  if (edit.op != Edit::Op::set) return std::string(text);
  std::string added;
  if (parent.is_object()) {
    append_quoted(added, rest.front());
    added += ':';
  } else if (rest.front() != "-") {
    return fail(Fault::bad_request, "The array at \"" + edit.pointer + "\" has no such element.");
  }
  added += nested(rest.subspan(1), edit.value);
  if (parent.size() > 0) added.insert(0, ",");
  std::size_t at = parent.offset() + parent.raw().size() - 1;
  while (std::string_view(" \t\r\n").contains(text[at - 1])) --at;
  return splice(at, at, added);
}

}  // namespace

Result<std::string> apply(std::string_view text, std::span<const Edit> edits) {
  std::string out(text);
  for (const Edit& edit : edits) {
    TRY(out, apply_one(out, edit));
  }
  return out;
}

std::string pointer_token(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace sluice::json
