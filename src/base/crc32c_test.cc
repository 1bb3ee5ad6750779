// SPDX-License-Identifier: MIT
#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

// RFC 3720, B.4, and the usual check value.
TEST(Crc32c, GivesThePublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, IsTheSameInPiecesAndWithoutTheProcessor) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    const std::string_view all = bytes;
    EXPECT_EQ(crc32c(all), crc32c_plain(all));
    EXPECT_EQ(crc32c(all.substr(bytes.size() / 3), crc32c(all.substr(0, bytes.size() / 3))), crc32c(all));
    bytes += static_cast<char>(i * 37);
  }
}

}  // namespace
}  // namespace sluice
