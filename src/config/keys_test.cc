// SPDX-License-Identifier: MIT
#include "config/keys.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Keys, AreFoundByWhatIsShownAndByTheirId) {
  Keys keys;
  EXPECT_TRUE(keys.empty());
  EXPECT_EQ(keys.find("anything"), nullptr);
  keys.add({.name = "a", .key = Secret("key-of-team-a-0123")});
  keys.add({.name = "b", .key = Secret("key-of-team-b-0123"), .access_key_id = "TEAMB"});
  for (int i = 0; i < 500; ++i) {
    const std::string n = std::to_string(i);
    keys.add({.name = n, .key = Secret("key number " + n), .access_key_id = "ID" + n});
  }
  EXPECT_FALSE(keys.empty());
  ASSERT_TRUE(keys.find("key-of-team-a-0123"));
  EXPECT_EQ(keys.find("key-of-team-a-0123")->name, "a");
  EXPECT_EQ(keys.find("key-of-team-b-0123")->name, "b");
  EXPECT_EQ(keys.find("key number 499")->name, "499");
  for (const auto* wrong : {"", "a", "key-of-team-a-012", "key-of-team-a-01234", "Key-of-team-a-0123", "TEAMB", "key"})
    EXPECT_EQ(keys.find(wrong), nullptr) << wrong;
  ASSERT_TRUE(keys.signer("TEAMB"));
  EXPECT_EQ(keys.signer("TEAMB"), keys.find("key-of-team-b-0123"));
  EXPECT_TRUE(keys.signer("TEAMB")->secret.equals("key-of-team-b-0123"));
  EXPECT_EQ(keys.signer("ID250")->name, "250");
  for (const auto* wrong : {"", "teamb", "a", "key-of-team-b-0123"}) EXPECT_EQ(keys.signer(wrong), nullptr) << wrong;
  // A key that signs nothing is kept as a hash only.
  EXPECT_TRUE(keys.find("key-of-team-a-0123")->secret.empty());
}

}  // namespace
}  // namespace sluice
