// Server-sent events in any pieces. SPDX-License-Identifier: MIT
#include "wire/sse.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::sse {
namespace {

// "event|data" of every frame of `text` fed in pieces cut at `cuts`, the unterminated rest included; every raw byte is
// collected in `raw`.
std::vector<std::string> frames(std::string_view text, std::vector<std::size_t> cuts, std::string* raw = nullptr) {
  Framer framer;
  std::vector<std::string> out;
  const auto take = [&](const Frame& frame) {
    out.push_back(std::string(frame.event) + '|' + (frame.has_data ? std::string(frame.data) : "-"));
    if (raw) *raw += frame.raw;
  };
  std::size_t from = 0;
  cuts.push_back(text.size());
  for (const std::size_t to : cuts) {
    const std::string piece(text.substr(from, to - from));  // its own memory, so that a stale view is found
    framer.feed(piece);
    while (const auto frame = framer.next()) take(*frame);
    from = to;
  }
  if (const auto frame = framer.rest()) take(*frame);
  return out;
}

void expect_at_every_cut(const std::string& text, const std::vector<std::string>& expected) {
  EXPECT_EQ(frames(text, {}), expected);
  for (std::size_t a = 0; a <= text.size(); ++a) {
    EXPECT_EQ(frames(text, {a}), expected) << a;
    for (std::size_t b = a; b <= text.size(); b += 3) EXPECT_EQ(frames(text, {a, b}), expected) << a << ' ' << b;
  }
  std::vector<std::size_t> all;
  for (std::size_t i = 1; i < text.size(); ++i) all.push_back(i);
  EXPECT_EQ(frames(text, all), expected) << "byte by byte";
}

TEST(Sse, GivesTheSameFramesAtEveryCut) {
  expect_at_every_cut(
      "event: message_start\ndata: {\"a\":1}\n\n"
      ": a comment\n\n"
      "data:no space\ndata: two\n\n"
      "id: 7\nretry: 10\nevent: ping\ndata\n\n"
      "data: [DONE]\n\n",
      {"message_start|{\"a\":1}", "|-", "|no space\ntwo", "ping|", "|[DONE]"});
}

TEST(Sse, LetsThePieceGoOnceNothingIsLeftInIt) {
  Framer framer;
  std::string scratch = "data: a\n\ndata: b";
  framer.feed(scratch);
  EXPECT_EQ(framer.next()->data, "a");
  EXPECT_FALSE(framer.next());
  scratch.assign(scratch.size(), 'x');  // another connection reads into the same buffer
  framer.feed("");
  EXPECT_FALSE(framer.next());
  scratch = "c\n\n";
  framer.feed(scratch);
  EXPECT_EQ(framer.next()->data, "bc");
}

TEST(Sse, KnowsEveryLineEnd) {
  expect_at_every_cut("data: a\r\n\r\ndata: b\r\ndata: c\r\n\r\n", {"|a", "|b\nc"});
  expect_at_every_cut("data: a\r\rdata: b\rdata: c\r\revent: e\rdata: d\r\r", {"|a", "|b\nc", "e|d"});
  expect_at_every_cut("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\ndata: e\n\n", {"|a", "|b", "|c", "|d", "|e"});
}

TEST(Sse, ASpaceBehindTheColonIsAllowedNotDemanded) {
  expect_at_every_cut("data:a\n\ndata: a\n\ndata:  a\n\n", {"|a", "|a", "| a"});
  expect_at_every_cut("event:e\ndata:{\"x\":1}\n\nevent: e\ndata:\n\n", {"e|{\"x\":1}", "e|"});
}

TEST(Sse, SkipsOneByteOrderMark) {
  expect_at_every_cut(
      "\xef\xbb\xbf"
      "data: a\n\ndata: b\n\n",
      {"|a", "|b"});
  expect_at_every_cut(
      "data: a\n\n\xef\xbb\xbf"
      "data: b\n\n",
      {"|a", "|-"});  // only at the start
}

TEST(Sse, GivesTheRestThatNoBlankLineEnds) {
  expect_at_every_cut("data: a\n\ndata: b", {"|a", "|b"});
  expect_at_every_cut("data: a\n\ndata: b\n", {"|a", "|b"});
  expect_at_every_cut("data: a\n\n\n\n", {"|a"});
}

TEST(Sse, LeavesEveryByteInTheRawFrames) {
  const std::string text = "\n\nevent: x\r\ndata: 1\r\n\r\n\n: c\n\ndata: 2\n\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string raw;
    EXPECT_EQ(frames(text, {cut}, &raw).size(), 3u);
    EXPECT_EQ(raw, text) << cut;
  }
}

TEST(Sse, StopsAtAFrameOverItsLimit) {
  for (const bool whole : {true, false}) {
    Framer framer(100);
    framer.feed("data: a\n\n");
    EXPECT_TRUE(framer.next());
    const std::string big = "data: " + std::string(200, 'x') + (whole ? "\n\n" : "");
    framer.feed(big);
    EXPECT_FALSE(framer.next());
    EXPECT_TRUE(framer.overflown());
    framer.feed("\n\ndata: b\n\n");
    EXPECT_FALSE(framer.next());
    EXPECT_FALSE(framer.rest());
  }
}

TEST(Sse, CountsWhatItHoldsBack) {
  Framer framer;
  const std::string piece = "data: a\n\ndata: b";
  framer.feed(piece);
  EXPECT_TRUE(framer.next());
  EXPECT_FALSE(framer.next());
  EXPECT_EQ(framer.held(), 7u);
  framer.feed("\n\n");
  EXPECT_TRUE(framer.next());
  EXPECT_EQ(framer.held(), 0u);
}

TEST(SseWriting, NoTextCanBreakOutOfItsField) {
  std::string out;
  append_event(out, "e\nx: y", "one\ntwo\r\nthree\rfour");
  append_comment(out, "c\n\ndata: forged");
  append_event(out, "", "");
  EXPECT_EQ(frames(out, {}), (std::vector<std::string>{"e|one\ntwo\nthree\nfour", "|-", "|"}));
}

}  // namespace
}  // namespace sluice::sse
