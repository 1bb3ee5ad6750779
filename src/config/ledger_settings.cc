// The settings of `ledger`. SPDX-License-Identifier: MIT
#include <array>

#include "config/reading.h"

namespace sluice::config {
namespace {

using YAML::Node;
using Path = std::string_view;

constexpr std::array<std::string_view, 2> durabilities = {"relaxed", "strict"};

}  // namespace

std::span<const Setting<LedgerSettings>> ledger_settings() {
  static constexpr std::array<Setting<LedgerSettings>, 3> table = {{
      {{"durability", "one of relaxed, strict", "relaxed",
        "relaxed: what was answered outlives a killed process; strict: also a loss of power, for which the end of "
        "every "
        "answer waits for the disk",
        true},
       [](Reading& in, const Node& n, Path p, LedgerSettings& out) {
         std::string word;
         if (in.choice(n, p, durabilities, word)) out.strict = word == "strict";
       }},
      {{"retention", "duration", "400d", "for how long rows and sums are kept, by whole months; 0 = for ever", true},
       [](Reading& in, const Node& n, Path p, LedgerSettings& out) { in.duration(n, p, Millis(0), out.retention); }},
      {{"path", "text", "PATH.ledger with storage: sqlite:PATH, else none",
        "the directory of the ledger and its journal, which several gateways must not share but one after the other; "
        "none = there is no ledger",
        true},
       [](Reading& in, const Node& n, Path p, LedgerSettings& out) {
         if (in.text(n, p, out.path) && out.path.empty())
           in.fault(n.Mark(), quoted_name(p) + " must be a directory, or none", "for example path: ledger");
       }},
  }};
  return table;
}

}  // namespace sluice::config

namespace sluice {

std::string Config::ledger_path() const {
  constexpr std::string_view file = "sqlite:";
  if (ledger.path == "none") return {};
  if (!ledger.path.empty()) return ledger.path;
  return storage.starts_with(file) ? storage.substr(file.size()) + ".ledger" : std::string();
}

}  // namespace sluice
