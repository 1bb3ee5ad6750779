// A segment of the journal as bytes: its head, its records, and a reader that trusts none of them. A record is its
// size, the CRC-32C of what follows, its bytes, and zeros up to a multiple of eight. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

struct SegmentHead {
  std::uint64_t magic = 0x314C4E4A43554C53;  // "SLUCJNL1"
  std::uint64_t number = 0;                  // of the journal's segments, from 1
  std::uint32_t salt = 0;                    // of the checksums: what clients said can never look like a record
  std::uint32_t crc = 0;                     // of all above
  [[nodiscard]] std::uint32_t checksum() const;
};
inline constexpr std::size_t segment_head = sizeof(SegmentHead);
static_assert(segment_head == 24);
inline constexpr std::size_t record_head = 8;
inline constexpr std::size_t most_record = 512 * 1024;

// What a record of so many bytes takes.
[[nodiscard]] constexpr std::size_t record_room(std::size_t bytes) {
  return (record_head + bytes + 7) / 8 * 8;
}
[[nodiscard]] std::uint32_t record_checksum(std::uint32_t salt, std::string_view bytes);

// Reads a segment that nobody writes any more, of whatever is left of it. What is torn or damaged is passed by: the
// next whole record is found again, because records begin at multiples of eight.
class SegmentReader {
 public:
  // `bytes` must outlive it and be aligned as a file's beginning is.
  explicit SegmentReader(std::string_view bytes);
  // False: not even its head is whole, and nothing is read.
  [[nodiscard]] bool well() const { return well_; }
  [[nodiscard]] std::uint64_t number() const { return head_.number; }
  [[nodiscard]] std::optional<std::string_view> next();
  // Bytes that hold no record and are not zero, so far.
  [[nodiscard]] std::size_t damaged() const { return damaged_; }

 private:
  [[nodiscard]] std::optional<std::string_view> record_at(std::size_t at) const;
  std::string_view bytes_;
  SegmentHead head_;
  std::size_t at_ = segment_head;
  std::size_t damaged_ = 0;
  bool well_ = false;
};

}  // namespace sluice
