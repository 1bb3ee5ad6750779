// Heads and bodies: what two readers could frame in two ways is refused. SPDX-License-Identifier: MIT
#include "wire/http1.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sluice::http1 {
namespace {

using testing::HasSubstr;

constexpr Limits limits;

Parsed parse(std::string_view text, RequestHead& head) {
  std::size_t seen = 0;
  return parse_request(text, limits, seen, head);
}
// The status a whole request head is refused with; 0 when it is taken, -1 when more is awaited.
int refusal(std::string_view text) {
  RequestHead head;
  const Parsed parsed = parse(text, head);
  return parsed.step == Step::done ? 0 : parsed.step == Step::more ? -1 : parsed.status;
}
int refusal_of_response(std::string_view text) {
  ResponseHead head;
  std::size_t seen = 0;
  const Parsed parsed = parse_response(text, limits, seen, false, head);
  return parsed.step == Step::done ? 0 : parsed.step == Step::more ? -1 : parsed.status;
}
// A POST with these field lines beside Host.
std::string post(std::string_view fields) {
  return "POST /v1 HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

TEST(Http1Request, ReadsAHead) {
  const std::string text =
      "POST /v1/chat?x=1 HTTP/1.1\r\nHost: api.example:8000\r\nContent-Length: 5\r\nX-A:  b c \t\r\nx-a: d\r\n"
      "Empty:\r\nExpect: 100-continue\r\n\r\nhello";
  RequestHead head;
  const Parsed parsed = parse(text, head);
  ASSERT_EQ(parsed.step, Step::done) << parsed.why;
  EXPECT_EQ(parsed.consumed, text.size() - 5);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/chat?x=1");
  EXPECT_EQ(head.authority, "api.example:8000");
  EXPECT_EQ(head.fields.get("X-a"), "b c");
  EXPECT_EQ(head.fields.count("x-A"), 2u);
  EXPECT_TRUE(head.fields.has("empty"));
  EXPECT_EQ(head.body.kind, BodyKind::length);
  EXPECT_EQ(head.body.length, 5u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.expects_continue);
}

TEST(Http1Request, ArrivesInAnyPieces) {
  const std::string text = "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
  std::size_t seen = 0;
  RequestHead head;
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(parse_request(std::string_view(text).substr(0, size), limits, seen, head).step, Step::more) << size;
  }
  const Parsed parsed = parse_request(text, limits, seen, head);
  EXPECT_EQ(parsed.step, Step::done);
  EXPECT_EQ(parsed.consumed, text.size());
  EXPECT_EQ(head.fields.get("a"), "b");
}

TEST(Http1Request, RefusesEveryAmbiguousBody) {
  EXPECT_EQ(refusal(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")), 400);
  EXPECT_EQ(refusal(post("Content-Length: 5\r\nContent-Length: 5\r\n")), 400);
  EXPECT_EQ(refusal(post("Content-Length: 5\r\ncontent-length: 6\r\n")), 400);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  for (const char* length : {"5, 5", "+5", "-5", "0x5", "5 5", "", "5a", "1e3", "99999999999999999999"}) {
    EXPECT_EQ(refusal(post("Content-Length: " + std::string(length) + "\r\n")), 400) << length;
  }
  for (const char* encoding :
       {"gzip, chunked", "chunked, gzip", "identity", "chunked, chunked", "xchunked", "", "chunked;q=1"}) {
    EXPECT_EQ(refusal(post("Transfer-Encoding: " + std::string(encoding) + "\r\n")), 501) << encoding;
  }
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(Http1Request, RefusesHeadsThatReadersSplitDifferently) {
  EXPECT_EQ(refusal(post("A: b\r\n c\r\n")), 400);               // obs-fold
  EXPECT_EQ(refusal(post("Content-Length : 5\r\n")), 400);       // white space before the colon
  EXPECT_EQ(refusal(post(" Content-Length: 5\r\n")), 400);       // and before the name
  EXPECT_EQ(refusal(post("A: b\nContent-Length: 5\r\n")), 400);  // bare LF
  EXPECT_EQ(refusal(post("A: b\rContent-Length: 5\r\n")), 400);  // bare CR
  EXPECT_EQ(refusal(post(std::string("A: b\0c\r\n", 8))), 400);  // NUL
  EXPECT_EQ(refusal(post("A\x01: b\r\n")), 400);
  EXPECT_EQ(refusal(post("no colon\r\n")), 400);
  EXPECT_EQ(refusal(post(": nameless\r\n")), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\nHost: h\n\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\nHost"), 400);  // at once, not when the client gives up
}

TEST(Http1Request, RefusesLinesThatAreNoRequest) {
  for (const char* line :
       {"GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "G(T / HTTP/1.1", "GET /a b HTTP/1.1",
        "GET /\x80 HTTP/1.1", "GET h HTTP/1.1", "GET / http/1.1", "GET /#f HTTP/1.1"}) {
    EXPECT_EQ(refusal(std::string(line) + "\r\nHost: h\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(refusal("GET / HTTP/1.11\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(refusal("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(refusal("\x16\x03\x01"), 400);  // a TLS client hello
}

TEST(Http1Request, WantsExactlyOneHost) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(refusal("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"), 400);
  RequestHead head;
  EXPECT_EQ(parse("GET http://a:1/x HTTP/1.1\r\nHost: A:1\r\n\r\n", head).step, Step::done);
  EXPECT_EQ(head.authority, "a:1");
}

TEST(Http1Request, BoundsItsHead) {
  EXPECT_EQ(refusal("GET /" + std::string(40'000, 'a')), 414);
  EXPECT_EQ(refusal(post("A: " + std::string(40'000, 'a'))), 431);
  EXPECT_EQ(refusal(post("A: " + std::string(40'000, 'a') + "\r\n")), 431);
  std::string many;
  for (int i = 0; i < 99; ++i) many += "a: b\r\n";
  EXPECT_EQ(refusal(post(many)), 0);  // 99 and Host
  EXPECT_EQ(refusal(post(many + "a: b\r\n")), 431);
}

TEST(Http1Request, KnowsWhenTheConnectionStays) {
  const auto stays = [](std::string_view text) {
    RequestHead head;
    EXPECT_EQ(parse(text, head).step, Step::done) << text;
    return head.keep_alive;
  };
  EXPECT_TRUE(stays("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(stays("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n"));
  EXPECT_FALSE(stays("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(stays("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(refusal(post("Expect: tea\r\n")), 417);
}

TEST(Http1Response, ReadsAHead) {
  const auto read = [](std::string_view text, bool head_request = false) {
    ResponseHead head;
    std::size_t seen = 0;
    EXPECT_EQ(parse_response(text, limits, seen, head_request, head).step, Step::done) << text;
    return head;
  };
  const auto ok = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(ok.status, 200);
  EXPECT_EQ(ok.body.length, 3u);
  EXPECT_TRUE(ok.keep_alive);
  EXPECT_EQ(read("HTTP/1.1 200\r\n\r\n").body.kind, BodyKind::until_close);
  EXPECT_FALSE(read("HTTP/1.1 200\r\n\r\n").keep_alive);
  EXPECT_EQ(read("HTTP/1.1 204 \r\nTransfer-Encoding: chunked\r\n\r\n").body.kind, BodyKind::none);
  EXPECT_EQ(read("HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n").body.kind, BodyKind::none);
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\n").body.kind, BodyKind::none);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true).body.kind, BodyKind::none);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n").body.kind, BodyKind::chunked);
}

TEST(Http1Response, ArrivesInAnyPieces) {
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  ResponseHead head;
  std::size_t seen = 0;
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(parse_response(std::string_view(text).substr(0, size), limits, seen, false, head).step, Step::more)
        << size;
  }
  EXPECT_EQ(parse_response(text, limits, seen, false, head).step, Step::done);
}

TEST(Http1Response, IsRefusedAsABadGateway) {
  for (const char* text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "<html>\r\n\r\n", "<html>",
        "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"}) {
    EXPECT_EQ(refusal_of_response(text), 502) << text;
  }
}

// Payload of a chunked body fed in pieces of `step` bytes; "bad", or "more" when it never ended.
std::string follow(std::string_view body, std::size_t step, std::size_t* consumed = nullptr) {
  ChunkFollower follower;
  std::string out;
  std::size_t at = 0;
  while (at < body.size()) {
    std::string_view piece = body.substr(at, step);
    while (!piece.empty()) {
      const auto seen = follower.take(piece);
      if (seen.step == Step::bad) return "bad";
      out += seen.payload;
      at += seen.consumed;
      piece.remove_prefix(seen.consumed);
      if (seen.step == Step::done) {
        if (consumed) *consumed = at;
        return out;
      }
    }
  }
  return "more";
}

TEST(Http1Chunks, GiveTheSamePayloadAtEveryCut) {
  const std::string body =
      "5\r\nhello\r\nA;name=\"va;lue\"\r\n0123456789\r\n00000001\r\n!\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n";
  for (std::size_t step = 1; step <= body.size() + 4; ++step) {
    std::size_t consumed = 0;
    EXPECT_EQ(follow(body + "NEXT", step, &consumed), "hello0123456789!") << step;
    EXPECT_EQ(consumed, body.size()) << step;
  }
  for (std::size_t size = 0; size < body.size(); ++size) EXPECT_EQ(follow(body.substr(0, size), 7), "more") << size;
}

TEST(Http1Chunks, RefuseWhatReadersSplitDifferently) {
  for (const char* body : {"g\r\n", "-1\r\n", "+1\r\nx\r\n", " 1\r\nx\r\n", "1 \r\nx\r\n", "0x1\r\nx\r\n", "\r\n",
                           ";a\r\n", "1\nx\r\n", "1\r\nxy\r\n", "1\r\nx\n", "1\rx", "1;a\nb\r\nx\r\n", "1\r\nx\r\r\n",
                           "0\r\nA: b\n\r\n", "0\r\n\n", "0\r\n\rx", "FFFFFFFFFFFFFFFFF\r\n", "1;a\x01\r\nx\r\n"}) {
    for (const std::size_t step : {1u, 3u, 100u}) EXPECT_EQ(follow(body, step), "bad") << body;
  }
}

TEST(Http1Chunks, BoundLinesAndTrailers) {
  EXPECT_EQ(follow("1;" + std::string(5000, 'a') + "\r\nx\r\n0\r\n\r\n", 100), "bad");
  std::string trailers = "0\r\n";
  for (int i = 0; i < 2000; ++i) trailers += "a: b\r\n";
  EXPECT_EQ(follow(trailers + "\r\n", 100), "bad");
}

TEST(Http1Writing, NoTextCanSplitAHead) {
  std::string out;
  append_status_line(out, 429);
  append_field(out, "a", "b");
  append_field(out, "a b", "c");
  append_field(out, "", "c");
  append_field(out, "x", "c\r\nset: d");
  append_field(out, "x", std::string_view("c\0d", 3));
  EXPECT_EQ(out, "HTTP/1.1 429 Too Many Requests\r\na: b\r\n");
}

TEST(Http1Writing, ChunksAreReadBack) {
  std::string out;
  for (const std::size_t size : {1u, 15u, 16u, 70'000u}) {
    append_chunk_size(out, size);
    out += std::string(size, 'x') + "\r\n";
  }
  out += last_chunk;
  EXPECT_EQ(follow(out, 1000).size(), 70'032u);
}

}  // namespace
}  // namespace sluice::http1
