// SPDX-License-Identifier: MIT
#include "ledger/segment.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"

namespace sluice {

std::uint32_t SegmentHead::checksum() const {
  return crc32c({reinterpret_cast<const char*>(this), offsetof(SegmentHead, crc)});
}

std::uint32_t record_checksum(std::uint32_t salt, std::string_view bytes) {
  return crc32c(bytes, salt);
}

SegmentReader::SegmentReader(std::string_view bytes) : bytes_(bytes) {
  if (bytes.size() < segment_head) return;
  std::memcpy(&head_, bytes.data(), segment_head);
  well_ = head_.magic == SegmentHead().magic && head_.crc == head_.checksum();
}

std::optional<std::string_view> SegmentReader::record_at(std::size_t at) const {
  std::uint32_t size = 0;
  std::uint32_t crc = 0;
  std::memcpy(&size, bytes_.data() + at, 4);
  std::memcpy(&crc, bytes_.data() + at + 4, 4);
  if (size == 0 || size > most_record || size > bytes_.size() - at - record_head) return std::nullopt;
  const std::string_view record = bytes_.substr(at + record_head, size);
  if (record_checksum(head_.salt, record) != crc) return std::nullopt;
  return record;
}

std::optional<std::string_view> SegmentReader::next() {
  if (!well_) return std::nullopt;
  while (at_ + record_head <= bytes_.size()) {
    if (const auto record = record_at(at_)) {
      at_ += std::min(record_room(record->size()), bytes_.size() - at_);
      return record;
    }
    const std::string_view word = bytes_.substr(at_, 8);
    if (std::ranges::any_of(word, [](char c) { return c != '\0'; })) damaged_ += word.size();
    at_ += 8;
  }
  return std::nullopt;
}

}  // namespace sluice
