// Any bytes through the JSON reader, the scan, the edits and the writer: they agree with each other.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "base/json.h"

namespace {

using namespace sluice;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

void print(json::Value value, json::Writer& w) {
  if (value.is_object()) {
    w.begin_object();
    for (const auto [key, member] : value.members()) {
      w.key(key);
      print(member, w);
    }
    w.end_object();
  } else if (value.is_array()) {
    w.begin_array();
    for (const json::Value element : value.elements()) print(element, w);
    w.end_array();
  } else if (value.is_string()) {
    w.string(value.text());
  } else {
    w.raw(value.raw());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  json::Document doc;
  const auto root = doc.parse(text);
  require(root.has_value() == json::valid(text));
  const auto members = json::scan_object(text);
  // The scan takes what the reader takes, and beyond it only objects with a fault inside a nested value.
  if (root) require(members.has_value() == root->is_object());
  if (members && !root) require(!std::ranges::all_of(*members, [](const auto& m) { return json::valid(m.raw); }));
  if (members) {
    std::size_t end = 1;
    for (const json::TopMember& m : *members) {
      const bool nested = m.kind == json::Kind::object || m.kind == json::Kind::array;
      require(m.offset >= end && text.substr(m.offset, m.raw.size()) == m.raw && (nested || json::valid(m.raw)));
      end = m.offset + m.raw.size();
    }
  }
  require(json::valid(json::quote(text)));
  if (!root) return 0;

  if (members) {
    require(members->size() == root->size());
    std::size_t i = 0;
    for (const auto [key, value] : root->members()) {
      const json::TopMember& seen = (*members)[i++];
      require(seen.key == key && seen.raw == value.raw() && seen.offset == value.offset() && value.is(seen.kind));
    }
  }
  // Printing in order gives the same value again, and so does leaving out the white space.
  std::string printed;
  json::Writer writer(printed);
  print(*root, writer);
  require(json::valid(printed) && json::same(text, printed));
  const std::string compact = json::compact(text);
  require(json::valid(compact) && json::same(text, compact));

  // An edit gives valid JSON that holds it, or an error; what is set and dropped again is gone.
  const std::array set = {json::Edit{json::Edit::Op::set, "/model", "\"m\""}};
  const auto edited = json::apply(text, set);
  require(edited.has_value() == root->is_object());
  if (edited) {
    json::Document after;
    const auto value = after.parse(*edited);
    require(value && (*value)["model"].equals("m"));
    const std::array drop = {json::Edit{json::Edit::Op::drop, "/model", ""}};
    const auto dropped = json::apply(*edited, drop);
    require(dropped && json::valid(*dropped));
  }
  return 0;
}
