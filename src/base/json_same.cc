// Comparing JSON by value. SPDX-License-Identifier: MIT
#include "base/json.h"

namespace sluice::json {
namespace {

std::string short_text(Value value) {
  std::string out(value.raw().substr(0, 120));
  if (value.raw().size() > 120) out += "…";
  return value ? out : "(absent)";
}

// The member of that name with `nth` others of the same name before it: a name that stands twice is compared twice.
Value member(Value object, std::string_view name, std::size_t nth) {
  for (const auto [key, value] : object.members()) {
    if (key == name && nth-- == 0) return value;
  }
  return {};
}

std::size_t namesakes_before(Value object, std::string_view name, Value stop) {
  std::size_t count = 0;
  for (const auto [key, value] : object.members()) {
    if (value.offset() == stop.offset()) break;
    if (key == name) ++count;
  }
  return count;
}

std::string differ(Value a, Value b, const std::string& at) {
  const auto no = [&] { return (at.empty() ? "/" : at) + ": " + short_text(a) + " != " + short_text(b); };
  if (!a || !b) return no();
  if (a.is_object() && b.is_object()) {
    for (const auto [key, value] : a.members()) {
      if (auto d = differ(value, member(b, key, namesakes_before(a, key, value)), at + '/' + pointer_token(key));
          !d.empty())
        return d;
    }
    for (const auto [key, value] : b.members()) {
      if (!a[key]) return at + '/' + pointer_token(key) + ": (absent) != " + short_text(value);
    }
    return a.size() == b.size() ? std::string() : no();
  }
  if (a.is_array() && b.is_array()) {
    auto other = b.elements().begin();
    std::size_t index = 0;
    for (const Value element : a.elements()) {
      const Value theirs = index < b.size() ? *other : Value();
      if (auto d = differ(element, theirs, at + '/' + std::to_string(index)); !d.empty()) return d;
      if (index < b.size()) ++other;
      ++index;
    }
    return a.size() == b.size() ? std::string() : no();
  }
  if (a.is_string() && b.is_string()) return a.text() == b.text() ? std::string() : no();
  if (a.is_number() && b.is_number())
    return a.raw() == b.raw() || (a.number() && a.number() == b.number()) ? std::string() : no();
  return a.raw() == b.raw() ? std::string() : no();
}

void write_compact(Writer& w, Value value) {
  if (value.is_object()) {
    w.begin_object();
    for (const auto [key, member] : value.members()) {
      w.key(key);
      write_compact(w, member);
    }
    w.end_object();
  } else if (value.is_array()) {
    w.begin_array();
    for (const Value element : value.elements()) write_compact(w, element);
    w.end_array();
  } else {
    w.raw(value.raw());
  }
}

}  // namespace

std::string difference(std::string_view a, std::string_view b) {
  Document left, right;
  const auto x = left.parse(a), y = right.parse(b);
  if (!x) return "left: " + x.error()->message;
  if (!y) return "right: " + y.error()->message;
  return differ(*x, *y, "");
}

bool same(std::string_view a, std::string_view b) {
  return difference(a, b).empty();
}

std::string compact(std::string_view text) {
  Document doc;
  const auto root = doc.parse(text);
  if (!root) return std::string(text);
  std::string out;
  out.reserve(text.size());
  Writer w(out);
  write_compact(w, *root);
  return out;
}

}  // namespace sluice::json
