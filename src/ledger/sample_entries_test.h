// Entries for tests. SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "ledger/entry.h"
#include "ledger/segment.h"

namespace sluice::samples {

inline Intent intent(std::string_view id, std::int64_t attempt) {
  return {.asker = {.id = id,
                    .unix_ms = 1'793'000'000'000,
                    .key = "alice",
                    .groups = "acme/research",
                    .tags = "a,b",
                    .asked = "smart",
                    .dialect = "openai_chat",
                    .operation = "chat",
                    .stream = true},
          .callee = {.attempt = attempt, .backend = "openai", .model = "gpt-4o", .price = "input=2.5 output=10"},
          .input = 100};
}

inline CallLine call(std::int64_t attempt, RowState state) {
  CallLine line{.callee = intent("", attempt).callee, .state = state, .status = 200, .took_ms = 30};
  if (state == RowState::upstream_error) {
    line.status = 500;
    line.fault = Fault::upstream_failed;
    line.exact.set(Bucket::input, 0);
    line.exact.set(Bucket::output, 0);
  } else {
    line.exact.set(Bucket::input, 200);
    line.exact.set(Bucket::output, 50);
  }
  return line;
}

// As many calls, of which the last answered.
inline std::vector<CallLine> calls(std::uint32_t count) {
  std::vector<CallLine> out;
  for (std::uint32_t i = 1; i <= count; ++i)
    out.push_back(call(i, i == count ? RowState::complete : RowState::upstream_error));
  return out;
}

inline Settlement settlement(std::string_view id, std::uint32_t calls) {
  return {.asker = intent(id, 1).asker, .served = "gpt-4o-2024-08-06", .status = 200, .took_ms = 40, .calls = calls};
}

template <class T>
std::string bytes(const T& entry) {
  std::string out(entry_size(entry), '\0');
  write_entry(out.data(), entry);
  return out;
}

inline std::string settled(std::string_view id, std::uint32_t count) {
  std::string out = bytes(settlement(id, count));
  for (const CallLine& line : calls(count)) out += bytes(line);
  return out;
}

inline std::string segment(std::uint32_t salt = 0x5EED) {
  SegmentHead head{.number = 1, .salt = salt};
  head.crc = head.checksum();
  return {reinterpret_cast<const char*>(&head), sizeof head};
}

inline void append_record(std::string& segment, std::string_view record, std::uint32_t salt = 0x5EED) {
  const auto size = static_cast<std::uint32_t>(record.size());
  const std::uint32_t crc = record_checksum(salt, record);
  const std::size_t at = segment.size();
  segment.resize(at + record_room(record.size()));
  std::memcpy(segment.data() + at, &size, 4);
  std::memcpy(segment.data() + at + 4, &crc, 4);
  std::memcpy(segment.data() + at + 8, record.data(), record.size());
}

}  // namespace sluice::samples
