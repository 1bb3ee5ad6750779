// CRC-32C (Castagnoli), which processors compute by themselves: for what is written to files of ours. Not here: the
// CRC-32 of wire formats. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

// Goes on from `before`, which is 0 at the beginning: crc32c("b", crc32c("a")) is crc32c("ab").
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

// The same without the processor's help; for machines without, and for tests.
[[nodiscard]] std::uint32_t crc32c_plain(std::string_view bytes, std::uint32_t before = 0);

}  // namespace sluice
