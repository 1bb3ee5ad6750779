// Event-stream messages in any pieces, both ways. SPDX-License-Identifier: MIT
#include "wire/aws_eventstream.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace sluice::aws_eventstream {
namespace {

std::string unhex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

// Made with another program's CRC-32: the shortest message, and one with a header of every type and {"a":1}.
const std::string shortest = unhex("000000100000000005c248eb7d98c8ff");
const std::string every_type = unhex(
    "0000006700000050255b25c0017400016601016202ff017303fffe016904fffeee90016c05fffffffed5fa0e00017906000200ff"
    "017807000568656c6c6f016d080000018bcfe5687b017509000102030405060708090a0b0c0d0e0f7b2261223a317dcda1a7bf");

struct Seen {
  std::vector<std::string> messages;  // "message type|event type|payload"
  std::string raw;
  std::string broken;  // why the stream died
  std::size_t held = 0;
};

Seen read(std::string_view bytes, const std::vector<std::size_t>& cuts, Limits limits = {}) {
  Framer framer(limits);
  Seen seen;
  std::size_t from = 0;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(bytes.size());
  for (const std::size_t to : ends) {
    const std::string piece(bytes.substr(from, to - from));  // its own memory, so that a stale view is found
    framer.feed(piece);
    for (;;) {
      const auto message = framer.next();
      if (!message) {
        EXPECT_EQ(message.error()->fault, Fault::upstream_broken);
        EXPECT_FALSE(framer.next());
        seen.broken = message.error()->detail;
        return seen;
      }
      if (!*message) break;
      seen.messages.push_back(std::string((*message)->message_type) + '|' + std::string((*message)->event_type) + '|' +
                              std::string((*message)->payload));
      seen.raw += (*message)->raw;
    }
    from = to;
  }
  seen.held = framer.held();
  return seen;
}

std::vector<std::size_t> every_byte(std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < size; ++i) cuts.push_back(i);
  return cuts;
}

std::string three_messages() {
  std::string out;
  EXPECT_TRUE(append_event(out, "messageStart", R"({"role":"assistant"})"));
  EXPECT_TRUE(append_exception(out, "throttlingException", R"({"message":"slow down"})"));
  const std::array error = {Header{":message-type", HeaderType::string, "error"},
                            Header{":error-code", HeaderType::string, "InternalError"},
                            Header{":error-message", HeaderType::string, "it broke"}};
  EXPECT_TRUE(append_message(out, error, ""));
  return out;
}

TEST(EventStream, ReadsTheShortestMessage) {
  const Seen seen = read(shortest, {});
  EXPECT_EQ(seen.messages, std::vector<std::string>{"||"});
  EXPECT_EQ(seen.raw, shortest);
}

TEST(EventStream, ReadsAndWritesHeadersOfEveryType) {
  Framer framer;
  framer.feed(every_type);
  const auto message = framer.next();
  ASSERT_TRUE(message && *message);
  const auto headers = (*message)->headers;
  ASSERT_EQ(headers.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(static_cast<std::size_t>(headers[i].type), i);
  EXPECT_EQ(integer(headers[0]), std::nullopt);
  EXPECT_EQ(integer(headers[2]), -1);
  EXPECT_EQ(integer(headers[3]), -2);
  EXPECT_EQ(integer(headers[4]), -70000);
  EXPECT_EQ(integer(headers[5]), -5000000000);
  EXPECT_EQ(headers[6].value, std::string_view("\0\xff", 2));
  EXPECT_EQ((*message)->text("x"), "hello");
  EXPECT_EQ((*message)->text("y"), "");  // bytes are no text
  EXPECT_EQ(integer(headers[8]), 1700000000123);
  EXPECT_EQ(headers[9].value.size(), 16U);
  EXPECT_EQ((*message)->payload, R"({"a":1})");
  std::string again;
  ASSERT_TRUE(append_message(again, headers, (*message)->payload));
  EXPECT_EQ(again, every_type);
}

TEST(EventStream, TellsEventsExceptionsAndErrorsApart) {
  EXPECT_EQ(
      read(three_messages(), {}).messages,
      (std::vector<std::string>{R"(event|messageStart|{"role":"assistant"})",
                                R"(exception|throttlingException|{"message":"slow down"})", "error|InternalError|"}));
}

TEST(EventStream, ReadsTheSameAtEveryCut) {
  const std::string bytes = three_messages() + every_type;
  const Seen whole = read(bytes, {});
  EXPECT_EQ(whole.raw, bytes);
  const auto expect_same = [&](const std::vector<std::size_t>& cuts) {
    const Seen cut = read(bytes, cuts);
    EXPECT_EQ(cut.messages, whole.messages);
    EXPECT_EQ(cut.raw, bytes);
  };
  expect_same(every_byte(bytes.size()));
  for (std::size_t a = 0; a <= bytes.size(); ++a) {
    for (std::size_t b = a; b <= bytes.size(); b += 7) expect_same({a, b});
  }
}

TEST(EventStream, HoldsWhatIsCutOff) {
  const std::string bytes = three_messages();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Seen seen = read(std::string_view(bytes).substr(0, size), {});
    EXPECT_EQ(seen.broken, "");
    EXPECT_EQ(seen.held, size - seen.raw.size());
  }
}

TEST(EventStream, RefusesEveryFlippedBit) {
  const std::string good = every_type;
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    std::string bad = good;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ 1 << i % 8);
    const Seen seen = read(bad, {});
    EXPECT_TRUE(seen.messages.empty()) << "bit " << i;
    EXPECT_NE(seen.broken, "") << "bit " << i;
    // A broken length is found from the prelude alone, before anybody waits for the rest.
    if (i < 96) EXPECT_NE(read(bad.substr(0, 12), {}).broken, "") << "bit " << i;
  }
}

// The message that append_message would not write, with checksums that fit.
std::string crafted(std::uint32_t headers_length, std::string_view headers, std::string_view payload) {
  std::string out;
  EXPECT_TRUE(append_message(out, {}, std::string(headers) + std::string(payload)));
  for (int i = 0; i < 4; ++i) out[4 + i] = static_cast<char>(headers_length >> (24 - 8 * i) & 0xff);
  // CRC-32 again, bit by bit: it is the test's own.
  const auto sum = [&](std::size_t size) {
    std::uint32_t crc = ~0U;
    for (std::size_t i = 0; i < size; ++i) {
      crc ^= static_cast<unsigned char>(out[i]);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
    }
    return ~crc;
  };
  const auto put = [&](std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) out[at + i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
  };
  put(8, sum(8));
  put(out.size() - 4, sum(out.size() - 4));
  return out;
}

TEST(EventStream, RefusesBrokenHeadersBehindGoodChecksums) {
  using namespace std::string_literals;
  EXPECT_EQ(read(crafted(5, "\1n\7\0\0"s, "x"), {}).messages.size(), 1U);
  EXPECT_NE(read(crafted(4, "\0\7\0\0"s, ""), {}).broken, "");     // no name
  EXPECT_NE(read(crafted(3, "\1n\x0a"s, ""), {}).broken, "");      // no such type
  EXPECT_NE(read(crafted(3, "\1n\4"s, "1234"), {}).broken, "");    // the value lies behind the headers
  EXPECT_NE(read(crafted(5, "\1n\7\0\2"s, "ab"), {}).broken, "");  // the same by its length
  EXPECT_NE(read(crafted(2, "\5n"s, "name"), {}).broken, "");      // the same by the name
  EXPECT_NE(read(crafted(4, "\1n\7\0"s, ""), {}).broken, "");      // half a length
  EXPECT_NE(read(crafted(5, "\1n\6\x80\0"s + std::string(32768, 'x'), ""), {}).broken, "");
  EXPECT_NE(read(crafted(100, "\1n\0"s, ""), {}).broken, "");  // more headers than message
}

TEST(EventStream, KeepsItsLimits) {
  EXPECT_EQ(read(every_type, {}, {.message = every_type.size(), .headers = 80}).broken, "");
  EXPECT_NE(read(every_type, {}, {.message = every_type.size() - 1}).broken, "");
  EXPECT_NE(read(every_type, {}, {.headers = 79}).broken, "");
  // The lengths alone decide: nothing is collected first.
  EXPECT_NE(read(every_type.substr(0, 12), {}, {.message = 100}).broken, "");
}

TEST(EventStream, WritesNothingThatTheFormCannotSay) {
  std::string out = "before";
  const std::string name(256, 'n'), value(32768, 'v'), big(16 * 1024 * 1024, 'p');
  const auto refused = [&](Header header) { return !append_message(out, std::span(&header, 1), ""); };
  EXPECT_TRUE(refused({name, HeaderType::string, "v"}));
  EXPECT_TRUE(refused({"", HeaderType::string, "v"}));
  EXPECT_TRUE(refused({"n", HeaderType::bytes, value}));
  EXPECT_TRUE(refused({"n", HeaderType::int32, "12"}));
  EXPECT_TRUE(refused({"n", HeaderType::bool_true, "1"}));
  EXPECT_FALSE(append_event(out, "e", big));
  EXPECT_EQ(out, "before");
}

TEST(EventStream, ReadsRecordedStreamsToTheLastByte) {
  const char* shared = std::getenv("SLUICE_SHARED");
  if (shared == nullptr || *shared == '\0') {
    GTEST_SKIP() << "NOTICE: SLUICE_SHARED is not set: no recorded event streams.";
  }
  std::size_t streams = 0;
  for (const std::string_view folder : {"bedrock.converse_stream", "bedrock.invoke_stream"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(shared) / "corpus" / folder)) {
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      const std::string json = std::move(text).str();
      json::Document doc;
      const auto root = doc.parse(json);
      ASSERT_TRUE(root) << entry.path();
      const auto bytes = base64_decode((*root)["response_b64"].text());
      if (!bytes || bytes->empty()) continue;
      ++streams;
      const Seen whole = read(*bytes, {});
      EXPECT_EQ(whole.raw, *bytes) << entry.path() << whole.broken;
      EXPECT_EQ(read(*bytes, every_byte(bytes->size())).messages, whole.messages) << entry.path();
      // The recording's own decoder saw the same events; its payloads are compared where they were kept as they were.
      const json::Value events = (*root)["response_events"];
      ASSERT_EQ(whole.messages.size(), events.size()) << entry.path();
      for (std::size_t i = 0; i < events.size(); ++i) {
        const auto member = *events.at(i).members().begin();
        const std::string start = "event|" + std::string(member.key) + '|';
        ASSERT_TRUE(whole.messages[i].starts_with(start)) << entry.path() << whole.messages[i];
        if (member.key != "chunk") {
          EXPECT_TRUE(json::same(whole.messages[i].substr(start.size()), member.value.raw())) << entry.path();
        }
      }
    }
  }
  std::cout << streams << " recorded event streams\n";
  EXPECT_GT(streams, 0U);
}

}  // namespace
}  // namespace sluice::aws_eventstream
