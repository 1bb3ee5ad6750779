// SPDX-License-Identifier: MIT
#include "upstream/issuers.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string backend_of(Issuers& issuers, std::string_view id) {
  const auto found = issuers.find(id);
  return found ? found->backend : "";
}

TEST(Issuers, TellWhoGaveAnIdOut) {
  Issuers issuers;
  issuers.learn("file-1", "openai");
  issuers.learn("file-2", "azure");
  issuers.learn("file-1", "other");
  issuers.learn("", "openai");
  issuers.learn(std::string(300, 'x'), "openai");
  EXPECT_EQ(backend_of(issuers, "file-1"), "other");
  EXPECT_EQ(backend_of(issuers, "file-2"), "azure");
  EXPECT_FALSE(issuers.find("file-3"));
  EXPECT_EQ(issuers.size(), 2u);
}

TEST(Issuers, RememberWhoseAnIdIs) {
  Issuers issuers;
  issuers.learn("file-1", "openai", "ann");
  issuers.learn("file-1", "openai");
  EXPECT_EQ(issuers.find("file-1")->tenant, "ann");
  issuers.learn("file-2", "openai");
  EXPECT_EQ(issuers.find("file-2")->tenant, "");
  issuers.learn("file-2", "openai", "bob");
  EXPECT_EQ(issuers.find("file-2")->tenant, "bob");
}

TEST(Issuers, ForgetWhatWasNotAskedForLongest) {
  Issuers issuers(3);
  for (const char* id : {"a", "b", "c"}) issuers.learn(id, "x");
  EXPECT_EQ(backend_of(issuers, "a"), "x");
  issuers.learn("d", "x");
  EXPECT_FALSE(issuers.find("b"));
  EXPECT_EQ(backend_of(issuers, "a"), "x");
  EXPECT_EQ(backend_of(issuers, "d"), "x");
  EXPECT_EQ(issuers.size(), 3u);
}

}  // namespace
}  // namespace sluice
