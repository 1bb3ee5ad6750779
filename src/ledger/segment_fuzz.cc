// Any bytes as a segment: a record is never outside of them, what is read is written again as it was, and whole records
// are found behind whatever stands before them. SPDX-License-Identifier: MIT
#include <cstdint>
#include <cstring>
#include <string>

#include "ledger/entry.h"
#include "ledger/segment.h"

namespace {

std::string written(const sluice::Entry& entry) {
  std::string out;
  if (const auto* intent = std::get_if<sluice::Intent>(&entry)) {
    out.resize(entry_size(*intent));
    write_entry(out.data(), *intent);
  } else if (const auto* checkpoint = std::get_if<sluice::Checkpoint>(&entry)) {
    out.resize(entry_size(*checkpoint));
    write_entry(out.data(), *checkpoint);
  } else if (const auto* settled = std::get_if<sluice::Settled>(&entry)) {
    std::size_t size = entry_size(settled->settlement);
    for (const auto& call : settled->calls) size += entry_size(call);
    out.resize(size);
    char* at = write_entry(out.data(), settled->settlement);
    for (const auto& call : settled->calls) at = write_entry(at, call);
  }
  return out;
}

void append_record(std::string& segment, std::uint32_t salt, const std::string& record) {
  const auto size = static_cast<std::uint32_t>(record.size());
  const std::uint32_t crc = sluice::record_checksum(salt, record);
  const std::size_t at = segment.size();
  segment.resize(at + sluice::record_room(record.size()));
  std::memcpy(segment.data() + at, &size, 4);
  std::memcpy(segment.data() + at + 4, &crc, 4);
  std::memcpy(segment.data() + at + 8, record.data(), record.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  sluice::SegmentReader as_it_is(bytes);
  while (const auto record = as_it_is.next()) (void)sluice::read_entry(*record);

  if (const auto entry = sluice::read_entry(bytes)) {
    const std::string once = written(*entry);
    // That a text was lost is said once; nothing else may change.
    const auto again = sluice::read_entry(once);
    if (!again || written(*again) != once) __builtin_trap();
  }

  // Behind anything the last record is found. Its salt follows from the bytes, which therefore cannot know it.
  sluice::SegmentHead head{.number = 1, .salt = sluice::record_checksum(0x5EED, bytes)};
  head.crc = head.checksum();
  std::string segment(reinterpret_cast<const char*>(&head), sizeof head);
  segment += bytes;
  segment.resize((segment.size() + 7) / 8 * 8);
  const std::string last = "the last record of this segment";
  append_record(segment, head.salt, last);
  sluice::SegmentReader reader(segment);
  std::string found;
  while (const auto record = reader.next()) found = *record;
  if (found != last) __builtin_trap();
  return 0;
}
