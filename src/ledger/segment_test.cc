// SPDX-License-Identifier: MIT
#include "ledger/segment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ledger/sample_entries_test.h"

namespace sluice {
namespace {

std::vector<std::string> records(std::string_view bytes, std::size_t* damaged = nullptr) {
  SegmentReader reader(bytes);
  std::vector<std::string> out;
  while (const auto record = reader.next()) out.emplace_back(*record);
  if (damaged) *damaged = reader.damaged();
  return out;
}

const std::vector<std::string> three = {"one", "the second of them", "33333333"};

std::string whole() {
  std::string bytes = samples::segment();
  for (const std::string& record : three) samples::append_record(bytes, record);
  return bytes;
}

TEST(Segment, GivesItsRecordsAndNothingOfTheZerosBehindThem) {
  std::size_t damaged = 1;
  EXPECT_EQ(records(whole() + std::string(4096, '\0'), &damaged), three);
  EXPECT_EQ(damaged, 0U);
}

TEST(Segment, CutAnywhereGivesTheRecordsThatAreWhole) {
  const std::string bytes = whole();
  std::vector<std::size_t> ends;  // of each record's bytes
  for (std::size_t at = segment_head; const std::string& record : three) {
    ends.push_back(at + record_head + record.size());
    at += record_room(record.size());
  }
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const auto read = records(std::string_view(bytes).substr(0, size));
    const auto count = std::ranges::count_if(ends, [&](std::size_t end) { return end <= size; });
    EXPECT_EQ(read, std::vector<std::string>(three.begin(), three.begin() + count)) << size;
  }
}

TEST(Segment, WithAnyByteDamagedLosesOneRecordAtMost) {
  const std::string bytes = whole();
  for (std::size_t at = segment_head; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const auto read = records(damaged);
    EXPECT_GE(read.size(), three.size() - 1) << at;
    for (const std::string& record : read) EXPECT_TRUE(std::ranges::find(three, record) != three.end());
  }
}

// A process died between taking its place and writing it.
TEST(Segment, GoesOnBehindAPlaceThatWasTakenAndNotFilled) {
  std::string bytes = samples::segment();
  samples::append_record(bytes, three[0]);
  bytes += std::string(8, '\0') + "half of a record that never" + std::string(5, '\0');
  samples::append_record(bytes, three[1]);
  std::size_t damaged = 0;
  EXPECT_EQ(records(bytes, &damaged), (std::vector<std::string>{three[0], three[1]}));
  EXPECT_GT(damaged, 0U);
}

TEST(Segment, OfWhichTheHeadIsDamagedIsNotRead) {
  std::string bytes = whole();
  bytes[9] = 'x';
  EXPECT_TRUE(records(bytes).empty());
}

// What a client said stands in records; it does not know the salt.
TEST(Segment, TakesNoTextForARecord) {
  std::string forged;
  samples::append_record(forged, "a bill for somebody else", 0);
  std::string bytes = samples::segment();
  bytes += std::string(8, '\0') + forged;
  samples::append_record(bytes, three[0]);
  EXPECT_EQ(records(bytes), (std::vector<std::string>{three[0]}));
}

}  // namespace
}  // namespace sluice
