// What is found under which name, and what is not guessed. SPDX-License-Identifier: MIT
#include "pricing/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::shared_ptr<const Catalogue> table(const std::string& rows) {
  auto read = Catalogue::read("# sluice models 1\n# more\n" + rows);
  EXPECT_TRUE(read) << read.error()->message;
  return read ? *read : nullptr;
}

// The price of what is found; "none" where nothing is.
std::string found(const Catalogue& in, std::string_view vendor, std::string_view model, std::string_view region = {}) {
  const auto row = in.find(vendor, model, region);
  return row ? write_price(row->price) : "none";
}

TEST(Catalogue, TellsAllOfARow) {
  const auto row = Catalogue::built_in().find("anthropic", "claude-sonnet-4-5");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->vendor, "anthropic");
  EXPECT_EQ(row->model, "claude-sonnet-4-5");
  EXPECT_EQ(row->mode, "chat");
  EXPECT_EQ(row->window, 200'000);
  EXPECT_EQ(row->answer, 64'000);
  EXPECT_TRUE(row->can("tools"));
  EXPECT_TRUE(row->can("vision"));
  EXPECT_FALSE(row->can("visio"));
  EXPECT_FALSE(row->can(""));
  EXPECT_EQ(row->price.rate(Charge::cache_write_1h), 6'000'000'000);
}

TEST(Catalogue, FindsEveryRowByItsName) {
  int count = 0;
  for (const CatalogueRow& row : Catalogue::built_in().rows()) {
    const auto again = Catalogue::built_in().find(row.vendor, row.model);
    ASSERT_TRUE(again) << row.model;
    EXPECT_EQ(write_row(*again), write_row(row));
    ++count;
  }
  EXPECT_GT(count, 2500);
}

TEST(Catalogue, KnowsTheNamesThatVendorsGiveToTheSameModel) {
  const auto t = table(
      "bedrock/eu-west-1/meta.x\tchat\t\t\t\t\tinput=3\n"
      "bedrock/meta.x\tchat\t\t\t\t\tinput=2\n"
      "gemini/g\tchat\t\t\t\t\tinput=4\n"
      "openai/ft:m\tchat\t\t\t\t\tinput=5\n"
      "together/baai/big\tchat\t\t\t\t\tinput=6\n");
  EXPECT_EQ(found(*t, "bedrock", "meta.x"), "input=2");
  EXPECT_EQ(found(*t, "bedrock", "meta.x", "eu-west-1"), "input=3");
  EXPECT_EQ(found(*t, "bedrock", "meta.x", "us-west-1"), "input=2");
  EXPECT_EQ(found(*t, "bedrock", "arn:aws:bedrock:eu-west-1:1:inference-profile/meta.x", "eu-west-1"), "input=3");
  EXPECT_EQ(found(*t, "bedrock", "arn:aws:bedrock:eu-west-1::foundation-model/meta.x"), "input=2");
  EXPECT_EQ(found(*t, "bedrock", "arn:aws:bedrock:eu-west-1:1:application-inference-profile/meta.x"), "none");
  EXPECT_EQ(found(*t, "gemini", "models/g"), "input=4");
  EXPECT_EQ(found(*t, "openai", "ft:m:acme::1"), "input=5");
  EXPECT_EQ(found(*t, "together", "BAAI/Big"), "input=6");
  // Another profile of a region has another price.
  EXPECT_EQ(found(*t, "bedrock", "us.meta.x"), "none");
  EXPECT_EQ(found(*t, "openai", "g"), "none");
  EXPECT_EQ(found(*t, "", "g"), "none");
  EXPECT_EQ(found(*t, "gemini", ""), "none");
}

TEST(Catalogue, AVersionThatIsNotListedCostsWhatAllListedOnesDo) {
  const auto t = table(
      "v/alike\tchat\t100\t10\t2026-01-01\ttools\tinput=1 output=2 priority.input=4\n"
      "v/alike-2025-01-01\tchat\t100\t20\t\ttools\tinput=1 output=2\n"
      "v/alike-mini\tchat\t5\t\t\t\tinput=9\n"
      "v/dated-20240101\tchat\t7\t\t\t\tinput=3\n"
      "v/other\tchat\t100\t\t\t\tinput=1\n"
      "v/other-0613\tchat\t100\t\t\t\tinput=2\n"
      "v/steps\tchat\t\t\t\t\tinput=1\n"
      "v/steps-2411\tchat\t\t\t\t\tinput=1 input>1000=2\n");
  EXPECT_EQ(found(*t, "v", "alike-2025-01-01"), "input=1 output=2");
  EXPECT_EQ(found(*t, "v", "alike"), "input=1 output=2 priority.input=4");
  for (const char* name : {"alike-2027-03-04", "alike-20270304", "alike@20270304", "alike-latest", "alike-0304"})
    EXPECT_EQ(found(*t, "v", name), "input=1 output=2") << name;
  const auto row = t->find("v", "alike-latest");
  EXPECT_EQ(row->window, 100);
  EXPECT_EQ(row->answer, std::nullopt);
  EXPECT_EQ(row->until, "");
  EXPECT_TRUE(row->can("tools"));
  EXPECT_EQ(found(*t, "v", "dated"), "input=3");
  EXPECT_EQ(found(*t, "v", "dated-latest"), "input=3");
  // They differ: no price, but what they agree on.
  EXPECT_EQ(found(*t, "v", "other-0314"), "");
  EXPECT_EQ(t->find("v", "other-0314")->window, 100);
  EXPECT_EQ(found(*t, "v", "steps-2508"), "");
  // No versions by date.
  for (const char* name : {"alike-2", "alike-20271304", "alike-pro", "alike-8192", "alike-9999", "-2024-01-01", "alik"})
    EXPECT_EQ(found(*t, "v", name), "none") << name;
}

TEST(Catalogue, WhatVendorsChangedIsNotGuessed) {
  const Catalogue& all = Catalogue::built_in();
  EXPECT_EQ(found(all, "openai", "gpt-4o-2030-01-01"), "");  // the first one was twice as dear
  EXPECT_EQ(all.find("openai", "gpt-4o-2030-01-01")->window, 128'000);
  EXPECT_EQ(found(all, "mistral", "mistral-large-2709"), "");
  EXPECT_THAT(found(all, "openai", "gpt-4.1-2030-01-01"), HasSubstr("input=2 "));
  EXPECT_THAT(found(all, "anthropic", "claude-sonnet-4-5-20300101"), HasSubstr("input=3 "));
  EXPECT_EQ(found(all, "openai", "gpt-99"), "none");
}

TEST(Catalogue, ListsTheRowsOfAVendor) {
  const auto t = table("a/x\tchat\t\t\t\t\t\na/y\tchat\t\t\t\t\t\nab/z\tchat\t\t\t\t\t\n");
  const auto names = [](const std::vector<CatalogueRow>& rows) {
    std::string out;
    for (const CatalogueRow& row : rows) out += std::string(row.vendor) + '/' + std::string(row.model) + ' ';
    return out;
  };
  EXPECT_EQ(names(t->rows("a")), "a/x a/y ");
  EXPECT_EQ(names(t->rows("ab")), "ab/z ");
  EXPECT_EQ(names(t->rows()), "a/x a/y ab/z ");
  EXPECT_THAT(t->rows("b"), IsEmpty());
  EXPECT_THAT(table("")->rows(), IsEmpty());
  EXPECT_EQ(found(*table(""), "a", "x"), "none");
}

TEST(Catalogue, ABrokenTableIsToldByItsLine) {
  const auto refused = [](const std::string& text) {
    const auto read = Catalogue::read(text);
    return read ? std::string() : read.error()->message;
  };
  const std::string first = "# sluice models 1\n";
  EXPECT_THAT(refused("{}"), HasSubstr("line 1: This is no table of models"));
  EXPECT_THAT(refused("# sluice models 12\n"), HasSubstr("line 1"));
  EXPECT_THAT(refused(first + "# x\na/b\tchat\n"), HasSubstr("line 3: A row has seven fields"));
  EXPECT_THAT(refused(first + "a/b\tchat\t\t\t\t\t\t\n"), HasSubstr("line 2: A row has seven fields"));
  EXPECT_THAT(refused(first + "ab\tchat\t\t\t\t\t\n"), HasSubstr("vendor/model"));
  EXPECT_THAT(refused(first + "/b\tchat\t\t\t\t\t\n"), HasSubstr("vendor/model"));
  EXPECT_THAT(refused(first + "a/b\tchat\t-1\t\t\t\t\n"), HasSubstr("number of tokens"));
  EXPECT_THAT(refused(first + "a/b\tchat\t\t\t\t\tinput=x\n"), HasSubstr("line 2: This is no price: input=x"));
  EXPECT_THAT(refused(first + "a/b\tchat\t\t\t\t\t\na/a\tchat\t\t\t\t\t\n"),
              HasSubstr("line 3: The rows are not sorted"));
  EXPECT_THAT(refused(first + "a/b\tchat\t\t\t\t\t\na/b\tchat\t\t\t\t\t\n"), HasSubstr("not sorted"));
  EXPECT_THAT(refused(first + "a/B\tchat\t\t\t\t\t\n"), HasSubstr("lower case"));
  EXPECT_THAT(refused(first + "\n"), HasSubstr("line 2"));
  EXPECT_EQ(refused(first), "");
  EXPECT_EQ(refused(first + "a/b\tchat\t\t\t\t\t"), "");
}

}  // namespace
}  // namespace sluice
