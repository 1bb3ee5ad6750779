// SPDX-License-Identifier: MIT
#include "gateway/guess.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(Guess, IsAQuarterOfTheBytes) {
  EXPECT_EQ(guess_tokens(""), 1);
  EXPECT_EQ(guess_tokens(std::string(400, 'a')), 101);
}

TEST(Guess, TakesPicturesForPictures) {
  const std::string words = R"({"content":")" + std::string(40'000, ' ') + "\",";
  const std::string picture = R"("data":")" + std::string(1'000'000, 'A') + "\"}";
  const auto of_words = guess_tokens(words + "}");
  EXPECT_NEAR(static_cast<double>(of_words), 10'000, 10);
  EXPECT_NEAR(static_cast<double>(guess_tokens(words + picture)), static_cast<double>(of_words) + 1'000, 10);
  // Text has blanks, and is none.
  std::string prose;
  while (prose.size() < 100'000) prose += "some words ";
  EXPECT_NEAR(static_cast<double>(guess_tokens("\"" + prose + "\"")), static_cast<double>(prose.size()) / 4, 10);
}

TEST(Guess, KnowsWhatIsAskedInText) {
  EXPECT_TRUE(asks_in_text("chat"));
  EXPECT_TRUE(asks_in_text("embeddings"));
  EXPECT_FALSE(asks_in_text("images.edits"));
  EXPECT_FALSE(asks_in_text(""));
}

}  // namespace
}  // namespace sluice
