// SPDX-License-Identifier: MIT
#include "base/json_watch.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice::json {
namespace {

constexpr std::array<std::string_view, 5> wanted = {"/usage", "/id", "/meta/billed_units", "/a/b/c", "/n"};

constexpr std::string_view text = R"( {"data":[{"id":"inner","usage":1,"x":[[{"usage":2}]]}], "id" : "file-\"1" ,
  "meta":{"id":"no","billed_units":{"input_tokens":7,"s":"a,}]b"} },"usag\u0065":3,
  "usage": {"prompt_tokens" : 5, "d":{"usage":[1,{"id":"deep"}]}},"n":-1.5e3,"a":{"b":{"c":true}}} )";

TEST(JsonWatch, KeepsTheNamedMembersHoweverTheTextIsCut) {
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    Watch watch(wanted);
    for (std::size_t at = 0; at < text.size(); at += piece) watch.feed(text.substr(at, piece));
    EXPECT_EQ(watch.text("/id"), "file-\"1") << piece;
    EXPECT_EQ(watch.raw("/meta/billed_units"), R"({"input_tokens":7,"s":"a,}]b"})") << piece;
    EXPECT_EQ(watch.raw("/usage"), R"({"prompt_tokens" : 5, "d":{"usage":[1,{"id":"deep"}]}})") << piece;
    EXPECT_EQ(watch.raw("/n"), "-1.5e3") << piece;
    EXPECT_EQ(watch.raw("/a/b/c"), "true") << piece;
  }
}

TEST(JsonWatch, CountsTheElementsOfAnArrayHoweverLong) {
  struct Row {
    std::string value;
    std::optional<std::size_t> count;
  };
  for (const Row& row : {Row{"[]", 0}, Row{"[ ]", 0}, Row{"[1]", 1}, Row{R"([ "a,b" , [1,2,3],{"c":[4,5]}])", 3},
                         Row{"[\"" + std::string(50, ',') + "\",{}]", 2}, Row{"[[],[]]", 2}, Row{R"({"a":[1,2]})", {}},
                         Row{"7", {}}, Row{R"("[1,2]")", {}}}) {
    const std::string body = R"({"x":[9],"id":)" + row.value + R"(,"n":[1,2]})";
    for (std::size_t piece = 1; piece <= body.size(); ++piece) {
      Watch watch(wanted, 8);
      for (std::size_t at = 0; at < body.size(); at += piece) watch.feed(std::string_view(body).substr(at, piece));
      EXPECT_EQ(watch.elements("/id"), row.count) << body << piece;
      EXPECT_EQ(watch.elements("/n"), 2u) << body << piece;
    }
  }
}

TEST(JsonWatch, OneTextAfterTheOther) {
  Watch watch(wanted);
  watch.feed(R"({"id":"one","usage":{"a":1)");
  watch.restart();
  watch.feed(R"({"usage":{"b":2}})");
  EXPECT_EQ(watch.text("/id"), "one");
  EXPECT_EQ(watch.raw("/usage"), R"({"b":2})");
}

TEST(JsonWatch, AValueThatIsTooLongIsNotKept) {
  Watch watch(wanted, 8);
  watch.feed(R"({"id":"123456789","n":1})");
  EXPECT_EQ(watch.raw("/id"), "");
  EXPECT_EQ(watch.raw("/n"), "1");
}

TEST(JsonWatch, WhatIsNoJsonIsOnlyFollowed) {
  Watch watch(wanted);
  watch.feed("]]}}<html>\"id\": 5 {\"id\"");
  watch.feed(std::string(200, '['));
  watch.feed(std::string(300, '}'));
  EXPECT_EQ(watch.raw("/id"), "");
  EXPECT_EQ(watch.text("/nowhere"), "");
}

}  // namespace
}  // namespace sluice::json
