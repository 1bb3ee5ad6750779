// `sluice keys`, `sluice groups`, `sluice admins`: the admin API from the command line, of the gateway that runs, or on
// its file when none does. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace sluice {

struct KeysOptions {
  std::string config;
  std::string url;                                         // of a gateway elsewhere; SLUICE_ADMIN_KEY is shown to it
  std::string collection;                                  // keys, groups, admins, audit
  std::string verb;                                        // create, list, show, update, rotate, block, unblock, delete
  std::string name;                                        // name or id
  std::vector<std::pair<std::string, std::string>> texts;  // of the body
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  std::vector<std::string> budgets;  // "month=12.50,hard_stop"
  std::string more;                  // JSON: further members of the body
  bool json = false;
};

// Adds the commands; `chosen` is filled in when one of them is given.
void add_keys_commands(CLI::App& app, KeysOptions& chosen);
[[nodiscard]] int keys_command(const KeysOptions& options);

}  // namespace sluice
