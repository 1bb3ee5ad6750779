// SPDX-License-Identifier: MIT
#include "dialects/estimate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "dialects/media_size.h"
#include "dialects/registry.h"
#include "tokens/encoding.h"

namespace sluice {
namespace {

ChatRequest said(std::string text) {
  ChatRequest out;
  out.turns.push_back({.role = Role::user, .parts = {{.body = Text{.text = std::move(text)}}}});
  return out;
}

TEST(Estimate, CountsWordsAndNotBytes) {
  EXPECT_EQ(estimate_text("", "gpt-4o"), 1);
  EXPECT_EQ(estimate_text("The quick brown fox jumps over the lazy dog", "gpt-4o"), 9);
  EXPECT_EQ(estimate_text("HTTPServer", "gpt-4o"), 1);
  EXPECT_EQ(estimate_text("readTheSocket", "gpt-4o"), 3);
  EXPECT_EQ(estimate_text("123456789", "gpt-4o"), 3);
  EXPECT_EQ(estimate_text("你好世界", "gpt-4o"), 3);
  EXPECT_EQ(estimate_text("你好世界", "gpt-4"), 5);
  EXPECT_GT(estimate_text("Привет, мир", "claude-sonnet-4-5"), estimate_text("Привет, мир", "gemini-2.5-pro"));
  EXPECT_EQ(estimate_text("\xf0\x9f", "gpt-4o"), 2);  // cut in a character: no reading past the end
  EXPECT_EQ(estimate_text("\xe4", "gpt-4o"), 1);
}

TEST(Count, IsThatOfTheTokenizer) {
  EXPECT_EQ(count_text("", "gpt-4o"), 1);
  EXPECT_EQ(count_text("hello world", "gpt-4o"), 2);
  EXPECT_EQ(count_text("人工智能大模型", "gpt-5.4"), count_tokens("人工智能大模型", Encoding::o200k));
  EXPECT_EQ(count_text("人工智能大模型", "gpt-4"), count_tokens("人工智能大模型", Encoding::cl100k));
  EXPECT_EQ(count_text("人工智能大模型", "gpt-3.5-turbo"), count_tokens("人工智能大模型", Encoding::cl100k));
  // Whose tokenizer is not public counts by ours, and by how many more or fewer its own makes.
  EXPECT_GT(count_text("The quick brown fox jumps over the lazy dog", "claude-sonnet-4-5"), 9);
  EXPECT_EQ(count_input(said("hello world"), "gpt-4o"), 2 + 3 + 4);
}

TEST(Count, IsBoundedAndTheRestIsEstimated) {
  const std::string text(static_cast<std::size_t>(most_counted) * 2, 'a');
  const std::string half = text.substr(0, text.size() / 2);
  EXPECT_EQ(count_text(text, "gpt-4o"), count_text(half, "gpt-4o") + estimate_text(half, "gpt-4o"));
}

TEST(Count, OfAnAnswerHasAllThatWasSaid) {
  Reply reply;
  reply.choices.push_back({.parts = {{.body = Text{.text = "hello world"}}}});
  EXPECT_EQ(count_output(reply, "gpt-4o"), 2);
  reply.choices[0].parts.push_back({.body = Reasoning{.text = "hello world"}});
  reply.choices[0].parts.push_back({.body = ToolCall{.name = "hello", .arguments = "{}"}});
  EXPECT_EQ(count_output(reply, "gpt-4o"), 6);
}

TEST(Estimate, KnowsWhatVendorsPutAround) {
  ChatRequest request = said("What is 2+2?");
  const std::int64_t plain = estimate_input(request, "claude-sonnet-4-5");
  EXPECT_NEAR(static_cast<double>(plain), 16, 3);
  request.tools.push_back({.name = "add", .description = "Adds", .schema = R"({"type":"object"})"});
  EXPECT_GT(estimate_input(request, "claude-sonnet-4-5"), plain + 496);
  EXPECT_LT(estimate_input(request, "gpt-4o"), 60);
  request.tool_choice = ToolChoice{.kind = ChoiceKind::required};
  EXPECT_GT(estimate_input(request, "claude-sonnet-4-5"), plain + 588);
  EXPECT_GT(estimate_input(said("Hi"), "command-a"), 490);
}

TEST(Estimate, ReadsEarlierThinkingOnlyWhileToolsAnswer) {
  ChatRequest request = said("one");
  const Part thought{.body = Reasoning{.text = "a thought of six whole words"}};
  request.turns.push_back({.role = Role::assistant, .parts = {thought}});
  const std::int64_t open = estimate_input(request, "gpt-5");
  request.turns.push_back({.role = Role::user, .parts = {{.body = Text{.text = ""}}}});
  EXPECT_EQ(estimate_input(request, "gpt-5"), open - 6 + 4);
}

TEST(PictureSize, StandsInTheFirstBytes) {
  const auto size = [](std::string_view base64_text) { return picture_size(*base64_decode(base64_text)); };
  EXPECT_EQ(size("iVBORw0KGgoAAAANSUhEUgAABAAAAAMACAYAAAA="), (PictureSize{1024, 768}));
  EXPECT_EQ(size("R0lGODlhQAHwAPAAAA=="), (PictureSize{320, 240}));
  EXPECT_EQ(size("/9j/4AAEAAD/wAARCAMABAADAQ=="), (PictureSize{1024, 768}));
  EXPECT_EQ(picture_size("RIFF\x01\x02\x03\x04WEBPVP8X\x0a\0\0\0\x10\0\0\0\xff\x03\0\xff\x02\0"
                         "rest of it"),
            std::nullopt);  // literals end at their first zero: too short
  EXPECT_EQ(picture_size(std::string_view("RIFF\1\2\3\4WEBPVP8X\x0a\0\0\0\x10\0\0\0\xff\3\0\xff\2\0", 30)),
            (PictureSize{1024, 768}));
  EXPECT_EQ(picture_size("\xff\xd8\xff\xc0"), std::nullopt);
  EXPECT_EQ(picture_size("no picture"), std::nullopt);
}

TEST(Estimate, CountsPicturesByThePublishedRules) {
  ChatRequest request = said("");
  request.turns[0].parts.push_back(
      {.body = Media{.form = MediaForm::base64, .data = "iVBORw0KGgoAAAANSUhEUgAABAAAAAMACAYAAAA="}});
  const auto picture = [&](std::string_view model) {
    return estimate_input(request, model) - estimate_input(said(""), model);
  };
  EXPECT_NEAR(static_cast<double>(picture("claude-sonnet-4-5")), 1024.0 * 768 / 750, 1);
  EXPECT_EQ(picture("gpt-4o"), 85 + 4 * 170);
  EXPECT_EQ(picture("gemini-2.5-pro"), 2 * 258);
}

// Recorded traffic: what vendors counted and what is guessed here.

namespace fs = std::filesystem;

std::string slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

const Dialect* dialect_of(std::string_view api) {
  if (api.starts_with("openai.chat")) return dialect(DialectId::openai_chat);
  if (api.starts_with("openai.responses")) return dialect(DialectId::openai_responses);
  if (api.starts_with("anthropic.")) return dialect(DialectId::anthropic);
  if (api == "gemini.generate" || api == "gemini.count_tokens") return dialect(DialectId::gemini);
  if (api == "cohere.chat") return dialect(DialectId::cohere);
  return nullptr;
}

std::string_view family_of(std::string_view model) {
  for (const std::string_view one : {"claude", "gemini", "gpt-oss", "gpt", "grok", "command"}) {
    if (model.contains(one)) return one;
  }
  return "other";
}

// What vendors add or keep on their own cannot be guessed from the question.
bool hidden(const json::Value features) {
  constexpr std::string_view own[] = {"web_search",  "web_fetch", "code_execution", "computer_use",
                                      "file_search", "mcp",       "builtin_tools",  "stateful",
                                      "container",   "file_id",   "image_output",   "context_management"};
  const auto listed = features.elements();
  for (const json::Value feature : listed) {
    if (std::ranges::find(own, feature.text()) != std::end(own)) return true;
  }
  return false;
}

struct Errors {
  std::vector<double> ours, counted, bytes, ratios;
};

double quantile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

// The input that the vendor counted; 0 when it did not say.
std::int64_t counted(const Dialect& words, std::string_view api, json::Value answer) {
  if (api.ends_with("count_tokens")) return words.read_count(answer.raw()).value_or(0);
  const auto usage = words.reply_usage(answer.raw());
  return usage ? usage->total_input() : 0;
}

TEST(Estimate, IsNearWhatVendorsCounted) {
  const char* shared = std::getenv("SLUICE_SHARED");
  if (shared == nullptr || *shared == '\0') GTEST_SKIP() << "SLUICE_SHARED: no recorded traffic";
  const fs::path corpus = fs::path(shared) / "corpus";
  std::map<std::string_view, Errors> all;
  std::ifstream index(corpus / "index.jsonl");
  for (std::string line; std::getline(index, line);) {
    json::Document row_doc;
    const auto row = row_doc.parse(line);
    ASSERT_TRUE(row);
    const std::string api = (*row)["api"].text();
    const Dialect* words = dialect_of(api);
    if (!words || (*row)["status"].integer() != 200 || hidden((*row)["features"])) continue;
    if (!(*row)["origin"].text().starts_with("recorded")) continue;
    const std::string text = slurp(corpus / (*row)["file"].text());
    json::Document doc;
    const auto root = doc.parse(text);
    ASSERT_TRUE(root);
    const json::Value answer = (*root)["response"];
    json::Value question = (*root)["request"];
    if (const auto within = question["generateContentRequest"]) question = within;
    if (!question.is_object() || !answer.is_object()) continue;
    const std::int64_t truth = counted(*words, api, answer);
    Notes notes;
    const auto request = words->read_request({.path_model = "gemini", .body = question.raw()}, notes);
    if (!request || truth == 0) continue;
    std::string model = (*row)["model"].text();
    if (model.empty()) model = request->model;
    const auto off = [&](double guess) {
      return std::abs(guess - static_cast<double>(truth)) / static_cast<double>(truth);
    };
    for (const std::string_view family : {family_of(model), std::string_view("all")}) {
      all[family].ours.push_back(off(static_cast<double>(estimate_input(*request, model))));
      const auto number = static_cast<double>(count_input(*request, model));
      all[family].counted.push_back(off(number));
      all[family].ratios.push_back(number / static_cast<double>(truth));
      all[family].bytes.push_back(off(static_cast<double>(question.raw().size()) / 4));
    }
  }
  for (const auto& [family, errors] : all) {
    std::cout << "estimate: " << family << ": " << errors.ours.size() << " exchanges, off by "
              << quantile(errors.ours, 0.5) * 100 << " % in the middle, " << quantile(errors.ours, 0.9) * 100
              << " % at the 90th percentile; counted " << quantile(errors.counted, 0.5) * 100 << " % and "
              << quantile(errors.counted, 0.9) * 100 << " %, " << quantile(errors.ratios, 0.5)
              << " of the truth in the middle (a quarter of the bytes: " << quantile(errors.bytes, 0.5) * 100 << " %, "
              << quantile(errors.bytes, 0.9) * 100 << " %)\n";
  }
  ASSERT_GT(all["all"].ours.size(), 400U);
  EXPECT_LT(quantile(all["all"].ours, 0.5), 0.15);
  EXPECT_LT(quantile(all["all"].ours, 0.9), 1.0);
  EXPECT_LT(quantile(all["claude"].ours, 0.5), 0.08);
  EXPECT_LT(quantile(all["gemini"].ours, 0.5), 0.20);
  EXPECT_LT(quantile(all["gpt"].ours, 0.5), 0.15);
  EXPECT_LT(quantile(all["all"].counted, 0.5), 0.15);
  // Where the tokenizer is the model's own, counting is nearer than weighing.
  EXPECT_LT(quantile(all["gpt"].counted, 0.5), quantile(all["gpt"].ours, 0.5));
  EXPECT_LT(quantile(all["claude"].counted, 0.5), 0.08);
  EXPECT_LT(quantile(all["gpt"].counted, 0.5), 0.08);
}

}  // namespace
}  // namespace sluice
