// SPDX-License-Identifier: MIT
#include "base/keys.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 6> names = {"id", "model", "models", "metadata", "top_logprobs", "a"};
constexpr KeySet keys(names);
static_assert(keys.find("models") == 2);

TEST(KeySet, FindsEachOfItsNames) {
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(keys.find(names[i]), i) << names[i];
}

TEST(KeySet, FindsNoOther) {
  for (const std::string_view name : {"", "i", "b", "Id", "id ", "modal", "metadatA", "metbdata", "top_logprobs2"}) {
    EXPECT_EQ(keys.find(name), names.size()) << name;
  }
  for (int c = 0; c < 256; ++c) {
    for (int d = 0; d < 256; ++d) {
      const std::string name = {static_cast<char>(c), static_cast<char>(d)};
      if (name != "id") EXPECT_EQ(keys.find(name), names.size());
    }
  }
}

}  // namespace
}  // namespace sluice
