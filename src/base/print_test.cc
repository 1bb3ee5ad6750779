// SPDX-License-Identifier: MIT
#include "base/print.h"

#include <gtest/gtest.h>

#include <limits>

namespace sluice {
namespace {

TEST(Print, PutsPiecesBehindWhatStandsThere) {
  std::string out = "before ";
  {
    Print print(out);
    print.text("literal ");
    print.text(std::string_view("view"));
    print.character(' ');
    print.number(0);
    print.character(' ');
    print.three_digits(7);
  }
  EXPECT_EQ(out, "before literal view 0 007");
}

TEST(Print, CopiesPiecesOfAnyLength) {
  std::string piece, expected, out;
  {
    Print print(out, 1);
    for (int size = 0; size < 700; ++size) {
      print.text(piece);
      expected += piece;
      piece += static_cast<char>('a' + size % 26);
    }
  }
  EXPECT_EQ(out, expected);
}

TEST(Print, WritesNumbersAsTheStandardLibraryDoes) {
  std::string out, expected;
  {
    Print print(out);
    for (std::int64_t power = 1; power < std::numeric_limits<std::int64_t>::max() / 10; power *= 10) {
      for (const std::int64_t value : {power - 1, power, power + 1, -power}) {
        print.number(value);
        expected += std::to_string(value);
      }
    }
    for (const std::int64_t value :
         {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
      print.number(value);
      expected += std::to_string(value);
    }
  }
  EXPECT_EQ(out, expected);
}

TEST(Print, LetsOthersWriteInBetween) {
  std::string out;
  {
    Print print(out);
    print.text("a");
    print.through([](std::string& text) {
      EXPECT_EQ(text, "a");
      text += std::string(5000, 'b');
    });
    std::string_view("c").copy(print.room(1), 1);
    print.took(1);
  }
  EXPECT_EQ(out, 'a' + std::string(5000, 'b') + 'c');
}

}  // namespace
}  // namespace sluice
