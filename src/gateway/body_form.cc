// SPDX-License-Identifier: MIT
#include "gateway/body_form.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::string_view space = " \t\r\n";

struct Cut {
  std::size_t at = 0, size = 0;
  std::string with;
};

// The span of a whole member with the comma that goes with it; nullopt where its name is not spelled plainly.
std::optional<Cut> whole_member(std::string_view text, const json::TopMember& member) {
  const auto back = [&](std::size_t at) {
    while (at > 0 && space.contains(text[at - 1])) --at;
    return at;
  };
  std::size_t begin = back(member.offset);
  if (begin == 0 || text[begin - 1] != ':') return std::nullopt;
  begin = back(begin - 1);
  const std::string name = '"' + member.key + '"';
  if (!text.substr(0, begin).ends_with(name)) return std::nullopt;
  begin = back(begin - name.size());
  std::size_t end = member.offset + member.raw.size();
  if (begin > 0 && text[begin - 1] == ',') return Cut{begin - 1, end - begin + 1, {}};
  end = text.find_first_not_of(space, end);
  if (end != std::string_view::npos && text[end] == ',') return Cut{begin, end + 1 - begin, {}};
  return std::nullopt;
}

std::optional<Cut> cut_of(std::string_view text, const std::vector<json::TopMember>& members, const json::Edit& edit) {
  const std::string_view name = std::string_view(edit.pointer).substr(std::min<std::size_t>(1, edit.pointer.size()));
  if (name.find_first_of("/~") != std::string_view::npos || edit.op == json::Edit::Op::rename) return std::nullopt;
  const auto found = std::ranges::find(members, name, &json::TopMember::key);
  if (found != members.end()) {
    if (edit.op == json::Edit::Op::drop) return whole_member(text, *found);
    return Cut{found->offset, found->raw.size(), edit.value};
  }
  if (members.empty() || edit.op == json::Edit::Op::drop) return std::nullopt;
  return Cut{text.find('{') + 1, 0, json::quote(name) + ':' + edit.value + ','};
}

}  // namespace

std::vector<json::Edit> form_edits(const BodyForm& form, const std::vector<json::TopMember>& members,
                                   std::vector<Header>& fields, Notes& notes) {
  std::vector<json::Edit> edits;
  const auto has = [&](std::string_view name) {
    return std::ranges::find(members, name, &json::TopMember::key) != members.end();
  };
  const auto pointer = [](std::string_view name) { return '/' + std::string(name); };
  for (const std::string_view name : form.drop) {
    if (has(name)) edits.push_back({.op = json::Edit::Op::drop, .pointer = pointer(name)});
  }
  for (const auto& [name, value] : form.set) {
    if (!has(name)) edits.push_back({.pointer = pointer(name), .value = std::string(value)});
  }
  std::string list;
  for (const auto& [name, value] : fields) {
    if (name != form.list_header) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::string_view word = trim(rest.substr(0, rest.find(',')));
      rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
      if (word.empty()) continue;
      if (std::ranges::any_of(form.list_words, [&](auto p) { return wildcard_match(p, word); })) {
        list += (list.empty() ? "" : ",") + json::quote(word);
      } else {
        notes.lost(pointer(form.list_header), "a flag that this cloud does not take");
      }
    }
  }
  if (!list.empty() && !has(form.list_member)) {
    edits.push_back({.pointer = pointer(form.list_member), .value = '[' + list + ']'});
  }
  std::erase_if(fields, [&](const Header& field) {
    return std::ranges::find(form.drop_headers, field.first) != form.drop_headers.end();
  });
  return edits;
}

Result<std::string> splice(std::string_view text, const std::vector<json::TopMember>& members,
                           const std::vector<json::Edit>& edits) {
  std::vector<Cut> cuts;
  for (const json::Edit& edit : edits) {
    auto cut = cut_of(text, members, edit);
    if (!cut) return json::apply(text, edits);
    cuts.push_back(*std::move(cut));
  }
  std::ranges::stable_sort(cuts, {}, &Cut::at);
  std::string out;
  out.reserve(text.size() + 64);
  std::size_t from = 0;
  for (const Cut& cut : cuts) {
    if (cut.at < from) return json::apply(text, edits);  // one member edited twice, or two neighbours dropped
    out += text.substr(from, cut.at - from);
    out += cut.with;
    from = cut.at + cut.size;
  }
  out += text.substr(from);
  return out;
}

}  // namespace sluice
