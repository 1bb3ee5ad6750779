// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice::json {
namespace {

TEST(Json, AcceptsWhatTheGrammarAllows) {
  for (const std::string_view text :
       {"{}", "[]", " [ ] ", "0", "-0", "1.5e+10", "\"\"", "true", "null", "[1,2,[3]]", "{\"a\":{\"b\":[null]}}",
        "\"\\u00e9\\ud83d\\ude00\\n\"", "[-1E-2]", "{\"\":0}", "\"\x7f\"", "1e400", "\"\xe2\x82\xac\""}) {
    Document doc;
    EXPECT_TRUE(doc.parse(text)) << text;
    EXPECT_TRUE(valid(text)) << text;
  }
}

TEST(Json, RefusesEverythingElse) {
  for (const std::string_view text : {"",          " ",           "{",          "}",
                                      "[",         "[1,]",        "{\"a\":1,}", "{a:1}",
                                      "{\"a\" 1}", "{\"a\":}",    "01",         "-",
                                      "+1",        "1.",          ".5",         "1e",
                                      "tru",       "nul",         "True",       "\"",
                                      "\"\\x\"",   "\"\\u12g4\"", "\"\n\"",     "[1 2]",
                                      "[1}",       "{\"a\":1]",   "1 2",        "[]x",
                                      "'a'",       "NaN",         "\"\xff\"",   "\"\xc0\x80\"",
                                      "[,1]",      "{,}",         "\"a\\",      "{\"a\":1 \"b\":2}"}) {
    Document doc;
    EXPECT_FALSE(doc.parse(text)) << text;
    EXPECT_FALSE(valid(text)) << text;
  }
}

TEST(Json, NestsTo128AndNoFurther) {
  Document doc;
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(doc.parse(nested(128)));
  EXPECT_FALSE(doc.parse(nested(129)));
  EXPECT_FALSE(doc.parse(nested(100'000)));
  EXPECT_TRUE(valid(nested(128)));
  EXPECT_FALSE(valid(nested(129)));
}

TEST(Json, KeepsOrderDuplicatesAndSpans) {
  const std::string text = R"({"b" : 1.50, "a":[true , {"x":"y"}], "b":"z\u0041", "\u0061c":null})";
  Document doc;
  const Value root = *doc.parse(text);
  std::string keys;
  for (const auto [key, value] : root.members()) keys += std::string(key) + '=' + std::string(value.raw()) + ';';
  EXPECT_EQ(keys, R"(b=1.50;a=[true , {"x":"y"}];b="z\u0041";ac=null;)");
  EXPECT_EQ(root.size(), 4u);
  EXPECT_EQ(root["b"].number(), 1.5);
  EXPECT_EQ(root["a"].at(1)["x"].text(), "y");
  EXPECT_EQ(root["a"].offset(), text.find('['));
  EXPECT_TRUE(root["ac"].is_null());
  EXPECT_FALSE(root["none"]);
  EXPECT_FALSE(root["none"]["deeper"].string());
  EXPECT_TRUE(root["a"].at(1)["x"].equals("y"));
}

TEST(Json, ReadsWholeNumbersOnlyWhenTheyAreWhole) {
  Document doc;
  const Value root = *doc.parse("[3,3.0,3e0,3.5,9223372036854775807,9223372036854775808,1e400,-7]");
  EXPECT_EQ(root.at(0).integer(), 3);
  EXPECT_EQ(root.at(1).integer(), 3);
  EXPECT_EQ(root.at(2).integer(), 3);
  EXPECT_FALSE(root.at(3).integer());
  EXPECT_EQ(root.at(4).integer(), 9223372036854775807);
  EXPECT_FALSE(root.at(5).integer());
  EXPECT_FALSE(root.at(6).number());
  EXPECT_EQ(root.at(7).integer(), -7);
}

TEST(Json, DecodesEscapesAndReplacesLoneSurrogates) {
  EXPECT_EQ(unescape(R"(a\/\"\\\b\f\n\r\t\u20ac\ud83d\ude00\ud800x\udc00)"),
            "a/\"\\\b\f\n\r\t€😀\xef\xbf\xbdx\xef\xbf\xbd");
}

TEST(Json, QuotesSoThatReadingGivesTheSame) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "€😀 and a long clean run of more than sixteen bytes \"";
  const std::string text = json::quote(all);
  Document doc;
  const auto value = doc.parse(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->text(), all);
  EXPECT_EQ(json::quote("a\xff"), "\"a\xef\xbf\xbd\"");
}

// Strings are read and written sixteen bytes at a time: what must be escaped is found at every place.
TEST(Json, EscapesWhereverTheyStand) {
  for (std::size_t size = 1; size <= 70; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (const std::string_view special : {"\"", "\\", "\n", "\x01", "\xc3\xa9", "\xf0\x9f\x98\x80"}) {
        std::string said = std::string(place, 'a') + std::string(special) + std::string(size - place - 1, 'b');
        if (place % 3 == 0) said += special;
        const std::string text = "{" + json::quote(said) + ":" + json::quote(said) + "}";
        Document doc;
        const auto root = doc.parse(text);
        ASSERT_TRUE(root) << text;
        EXPECT_EQ((*root)[said].text(), said) << text;
        if (special.size() > 1 || special == "\\") continue;
        const std::string raw = '"' + std::string(place, 'a') + special[0] + std::string(size - place, 'b') + '"';
        EXPECT_FALSE(doc.parse(raw)) << raw;
        EXPECT_FALSE(doc.parse('{' + raw + ":1}")) << raw;
      }
    }
  }
}

TEST(Json, PicksSeveralMembersInOneWalk) {
  Document doc;
  const Value root = *doc.parse(R"({"b":1,"a":"x","b":2,"c\u0064":null})");
  const auto [a, none, cd, b] = root.pick("a", "none", "cd", "b");
  EXPECT_EQ(a.text(), "x");
  EXPECT_FALSE(none);
  EXPECT_TRUE(cd.is_null());
  EXPECT_EQ(b.integer(), 1);
  EXPECT_FALSE(a.pick("x")[0]);
}

TEST(JsonScan, WalksTopLevelMembersOnly) {
  const std::string text = R"( {"model":"m","messages":[{"model":"x"}],"stream":true} )";
  const auto members = scan_object(text);
  ASSERT_TRUE(members);
  ASSERT_EQ(members->size(), 3u);
  EXPECT_EQ((*members)[0].raw, "\"m\"");
  EXPECT_EQ((*members)[1].kind, Kind::array);
  EXPECT_EQ((*members)[2].key, "stream");
  EXPECT_EQ((*members)[2].offset, text.find("true"));
  for (const std::string_view broken :
       {"[]", "{\"a\":1", "{\"a\":[}", "{} {}", "{\"a\":1,}", "{\"a\":{\"b\":1}", "{\"a\":[\"b]}", "{\"a\":[] \"b\":1}",
        "{\"a\":[]]}", "{\"a\":\"\n\"}", "{\"a\":tru}", "{\"a\":01}", "{\"a\":[\"\xff\"]}", "{\"a\":}",
        "{\"a\":[\"\n\"]}"}) {
    EXPECT_FALSE(scan_object(broken)) << broken;
  }
}

// A body that goes on as it came is judged by its receiver; what is read here is read by Document.
TEST(JsonScan, LeavesFaultsInsideANestedValueToItsReader) {
  const std::string text = R"({"a":{"b":},"model":"m","c":[1 2,"\x"]})";
  const auto members = scan_object(text);
  ASSERT_TRUE(members);
  ASSERT_EQ(members->size(), 3u);
  EXPECT_EQ((*members)[0].raw, R"({"b":})");
  EXPECT_EQ((*members)[1].raw, "\"m\"");
  Document doc;
  EXPECT_FALSE(doc.parse(text));
}

TEST(JsonScan, NestsTo128AndNoFurther) {
  const auto nested = [](int depth) { return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}"; };
  EXPECT_TRUE(scan_object(nested(127)));
  EXPECT_FALSE(scan_object(nested(128)));
  EXPECT_FALSE(scan_object(nested(100'000)));
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  Writer w(out);
  w.begin_object()
      .member("a", 1)
      .key("b")
      .begin_array()
      .string("x")
      .begin_object()
      .end_object()
      .null()
      .end_array()
      .member_bool("c", true)
      .member_raw("d", "1.0");
  w.key("e").number(0.5).end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",{},null],"c":true,"d":1.0,"e":0.5})");
}

TEST(JsonWriter, EscapesNamesThatNeedIt) {
  std::string text;
  Writer(text).begin_object().member("a\"b", "c").member(std::string("d\n"), "e").member("\xc3\xa9", "f").end_object();
  EXPECT_EQ(text, R"({"a\"b":"c","d\n":"e","é":"f"})");
}

TEST(JsonEdit, ChangesOnlyWhatItNames) {
  const auto edit = [](std::string_view text, Edit e) {
    return json::apply(text, std::array{std::move(e)}).value_or("failed");
  };
  const std::string text = R"({ "model" : "a", "x":[1, 2 ,3], "o":{"p":1.0} })";
  EXPECT_EQ(edit(text, {Edit::Op::set, "/model", "\"b\""}), R"({ "model" : "b", "x":[1, 2 ,3], "o":{"p":1.0} })");
  EXPECT_EQ(edit(text, {Edit::Op::set, "/x/1", "9"}), R"({ "model" : "a", "x":[1, 9 ,3], "o":{"p":1.0} })");
  EXPECT_EQ(edit(text, {Edit::Op::set, "/x/-", "4"}), R"({ "model" : "a", "x":[1, 2 ,3,4], "o":{"p":1.0} })");
  EXPECT_EQ(edit(text, {Edit::Op::set, "/o/q/r", "true"}),
            R"({ "model" : "a", "x":[1, 2 ,3], "o":{"p":1.0,"q":{"r":true}} })");
  EXPECT_EQ(edit(text, {Edit::Op::drop, "/model", ""}), R"({  "x":[1, 2 ,3], "o":{"p":1.0} })");
  EXPECT_EQ(edit(text, {Edit::Op::drop, "/o", ""}), R"({ "model" : "a", "x":[1, 2 ,3] })");
  EXPECT_EQ(edit(text, {Edit::Op::drop, "/x/2", ""}), R"({ "model" : "a", "x":[1, 2 ], "o":{"p":1.0} })");
  EXPECT_EQ(edit(text, {Edit::Op::drop, "/none", ""}), text);
  EXPECT_EQ(edit(text, {Edit::Op::rename, "/x", "y"}), R"({ "model" : "a", "y":[1, 2 ,3], "o":{"p":1.0} })");
  EXPECT_EQ(edit("{}", {Edit::Op::set, "/a~1b", "1"}), R"({"a/b":1})");
  EXPECT_EQ(edit(text, {Edit::Op::set, "/model/deeper", "1"}), "failed");
  EXPECT_EQ(edit("{\"a\":1", {Edit::Op::set, "/a", "1"}), "failed");
}

TEST(JsonSame, ComparesByValue) {
  EXPECT_TRUE(same(R"({"a":1,"b":[1.0,"\u0041"]})", R"({ "b":[1,"A"], "a":1 })"));
  EXPECT_FALSE(same("[1,2]", "[2,1]"));
  EXPECT_FALSE(same("[1]", "[1,2]"));
  EXPECT_TRUE(same(R"({"a":1,"b":0,"a":2})", R"({"b":0,"a":1,"\u0061":2})"));
  EXPECT_FALSE(same(R"({"a":1,"a":2})", R"({"a":2,"a":1})"));
  EXPECT_FALSE(same(R"({"a":1,"a":1})", R"({"a":1})"));
  EXPECT_FALSE(same("{\"a\":1}", "{}"));
  EXPECT_EQ(difference("{\"a\":[1]}", "{\"a\":[2]}"), "/a/0: 1 != 2");
  EXPECT_EQ(compact(" { \"a\" : [ 1 , 2.50 ] } "), R"({"a":[1,2.50]})");
}

TEST(Writer, GoesBackToAMark) {
  std::string text;
  Writer out(text);
  out.begin_object().member("a", "1");
  const Writer::Mark mark = out.mark();
  out.key("list").begin_array();
  EXPECT_TRUE(out.empty());
  out.string("[");
  EXPECT_FALSE(out.empty());
  out.end_array();
  out.rewind(mark);
  out.key("b").begin_object();
  EXPECT_TRUE(out.empty());
  out.end_object();
  EXPECT_FALSE(out.empty());
  out.end_object();
  EXPECT_EQ(text, R"({"a":"1","b":{}})");
}

}  // namespace
}  // namespace sluice::json
