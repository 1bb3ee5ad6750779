// SPDX-License-Identifier: MIT
#include "upstream/issuers.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Issuers, TellWhoGaveAnIdOut) {
  Issuers issuers;
  issuers.learn("file-1", "openai");
  issuers.learn("file-2", "azure");
  issuers.learn("file-1", "other");
  issuers.learn("", "openai");
  issuers.learn(std::string(300, 'x'), "openai");
  EXPECT_EQ(issuers.backend_of("file-1"), "other");
  EXPECT_EQ(issuers.backend_of("file-2"), "azure");
  EXPECT_EQ(issuers.backend_of("file-3"), "");
  EXPECT_EQ(issuers.size(), 2u);
}

TEST(Issuers, ForgetWhatWasNotAskedForLongest) {
  Issuers issuers(3);
  for (const char* id : {"a", "b", "c"}) issuers.learn(id, "x");
  EXPECT_EQ(issuers.backend_of("a"), "x");
  issuers.learn("d", "x");
  EXPECT_EQ(issuers.backend_of("b"), "");
  EXPECT_EQ(issuers.backend_of("a"), "x");
  EXPECT_EQ(issuers.backend_of("d"), "x");
  EXPECT_EQ(issuers.size(), 3u);
}

}  // namespace
}  // namespace sluice
