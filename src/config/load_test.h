// What tests of loading share. SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"

namespace sluice {

// The environment of the test that runs. A plain function, as Environment wants one.
inline std::map<std::string, std::string>& variables() {
  static std::map<std::string, std::string> all;
  return all;
}
inline std::optional<std::string> variable(const char* name) {
  const auto found = variables().find(name);
  return found == variables().end() ? std::nullopt : std::optional(found->second);
}

class ConfigLoad : public testing::Test {
 protected:
  void SetUp() override { variables().clear(); }

  Loaded load(std::string_view yaml) {
    text = yaml;
    return load_config(text, "config.yaml", variable);
  }
  // The faults as people read them.
  std::string told(const Loaded& loaded) { return render(loaded.faults, text, "config.yaml"); }
  std::string text;
};

// What a group may say.
class GroupLoad : public ConfigLoad {
 protected:
  void SetUp() override { variables() = {{"OPENAI_API_KEY", "x"}}; }
  Loaded group(std::string_view words) {
    return load("backends: {openai: {}}\ngroups:\n- {name: research, " + std::string(words) + "}\n");
  }
};

}  // namespace sluice
