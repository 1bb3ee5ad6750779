// SPDX-License-Identifier: MIT
#include "wire/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(KeyedHash, IsHmacOfEveryLength) {
  std::string text, key;
  for (std::size_t i = 0; i < 200; ++i) {
    text += static_cast<char>(i * 7);
    key += static_cast<char>(i * 11 + 3);
    EXPECT_EQ(KeyedHash(key)(text), hmac_sha256(key, text)) << i;
    EXPECT_EQ(KeyedHash(key)({}), hmac_sha256(key, {})) << i;
  }
}

// RFC 4231, cases 2 and 6.
TEST(KeyedHash, IsTheOneOfTheStandard) {
  EXPECT_EQ(hex(KeyedHash("Jefe")("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(KeyedHash(std::string(131, '\xaa'))("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace sluice
