// The public table becomes ours, and the one in this folder is what it becomes. SPDX-License-Identifier: MIT
#include "pricing/price_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "pricing/catalogue.h"

namespace sluice {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The rows of a table of one entry or several, without the header.
std::string rows(std::string_view json) {
  const auto table = read_price_table(json);
  if (!table) return table.error()->message;
  const auto begin = table->text.rfind("\n#");
  return table->text.substr(table->text.find('\n', begin + 1) + 1);
}

TEST(PriceTable, TheFileOfThisFolderIsMadeOfThePublicOne) {
  const char* shared = std::getenv("SLUICE_SHARED");  // NOLINT(concurrency-mt-unsafe): nothing else runs
  const std::string json = shared ? file(std::string(shared) + "/pricing/model_prices.json") : std::string();
  if (json.empty()) GTEST_SKIP() << "there is no public table here";
  const auto table = read_price_table(json);
  ASSERT_TRUE(table) << table.error()->message;
  const std::string ours = std::string(SLUICE_SOURCE_DIR) + "/src/pricing/models.txt";
  const char* golden = std::getenv("SLUICE_GOLDEN");  // NOLINT(concurrency-mt-unsafe)
  if (golden && std::string_view(golden) == "rewrite") {
    std::ofstream(ours, std::ios::binary) << table->text;
    return;
  }
  EXPECT_TRUE(file(ours) == table->text) << "`make golden` makes it anew";
  EXPECT_TRUE(built_in_models == table->text) << "the binary carries another one: build anew";
  EXPECT_TRUE(Catalogue::read(table->text));
  EXPECT_GT(table->rows, 2500);
  EXPECT_GT(table->priced, 2200);
}

TEST(PriceTable, TellsWhatAModelIs) {
  EXPECT_EQ(rows(R"({"sample_spec": {"litellm_provider": "one of https://x y"},
    "gpt-9": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 128000.0, "max_output_tokens": 16384,
      "deprecation_date": "2027-01-31", "supports_vision": true, "supports_function_calling": true,
      "supports_reasoning": false, "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
      "input_cost_per_token_batches": 1.25e-06, "input_cost_per_token_above_200k_tokens_priority": 4e-06,
      "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05}})"),
            "openai/gpt-9\tchat\t128000\t16384\t2027-01-31\ttools,vision\tinput=2.5 output=10 cache_write_1h>200000=12 "
            "batch.input=1.25 priority.input>200000=4\n");
}

TEST(PriceTable, NamesAreThoseOfOurProviders) {
  const std::string all = rows(R"({
    "dashscope/qwen-x": {"litellm_provider": "dashscope", "input_cost_per_token": 1e-06},
    "zai/glm-9": {"litellm_provider": "zai"},
    "command-x": {"litellm_provider": "cohere_chat"},
    "together_ai/BAAI/Big": {"litellm_provider": "together_ai"},
    "bedrock/invoke/anthropic.x": {"litellm_provider": "bedrock"},
    "bedrock/eu-west-1/meta.y": {"litellm_provider": "bedrock"},
    "gemini-x": {"litellm_provider": "vertex_ai-language-models"},
    "azure/gpt-x": {"litellm_provider": "azure_text"},
    "somebody/z": {"litellm_provider": "somebody"}})");
  for (const char* key :
       {"qwen/qwen-x\t", "zhipu/glm-9\t", "cohere/command-x\t", "together/baai/big\t", "bedrock/anthropic.x\t",
        "bedrock/eu-west-1/meta.y\t", "vertex/gemini-x\t", "azure/gpt-x\t", "somebody/z\t"})
    EXPECT_THAT(all, HasSubstr(key));
}

TEST(PriceTable, OfTwoRowsForOneModelTheVendorsOwnCounts) {
  EXPECT_THAT(rows(R"({"azure_ai/m": {"litellm_provider": "azure_ai", "input_cost_per_token": 2e-06},
                       "azure/m": {"litellm_provider": "azure", "input_cost_per_token": 8e-06}})"),
              EndsWith("\tinput=8\n"));
  EXPECT_THAT(rows(R"({"m": {"litellm_provider": "deepseek", "input_cost_per_token": 2e-06},
                       "deepseek/m": {"litellm_provider": "deepseek", "input_cost_per_token": 3e-06}})"),
              EndsWith("\tinput=3\n"));
  EXPECT_THAT(rows(R"({"m": {"litellm_provider": "bedrock", "input_cost_per_token": 2e-06},
                       "M": {"litellm_provider": "bedrock_converse", "input_cost_per_token": 3e-06}})"),
              EndsWith("\t\n"));
}

TEST(PriceTable, WhatNoAnswerCountsGetsNoPrice) {
  const auto price = [](const std::string& row) {
    const std::string line = rows(R"({"m": {"litellm_provider": "openai", )" + row + "}}");
    return line.substr(line.rfind('\t') + 1);
  };
  EXPECT_EQ(price(R"("mode": "audio_speech", "input_cost_per_character": 1.5e-05)"), "\n");
  EXPECT_EQ(price(R"("mode": "chat", "input_cost_per_token": 0, "input_cost_per_request": 0.005)"), "\n");
  EXPECT_EQ(price(R"("mode": "image_generation", "input_cost_per_pixel": 1e-08)"), "\n");
  // A table that speaks in words or below zero is not believed either.
  EXPECT_EQ(price(R"("input_cost_per_token": "1e-06", "output_cost_per_token": -1)"), "\n");
  // By the piece, where answers tell pieces.
  EXPECT_EQ(price(R"("mode": "rerank", "input_cost_per_query": 0.002, "input_cost_per_token": 0.0)"),
            "input=0 search_unit=0.002\n");
  EXPECT_EQ(price(R"("mode": "image_generation", "input_cost_per_image": 0.04)"), "image=0.04\n");
  EXPECT_EQ(price(R"("mode": "image_edit", "input_cost_per_image": 0.04, "output_cost_per_image": 0.05)"),
            "image=0.05\n");
  EXPECT_EQ(price(R"("mode": "image_generation", "output_cost_per_image": 0.04, "output_cost_per_image_token": 4e-05)"),
            "image_output=40\n");
  EXPECT_EQ(price(R"("mode": "audio_transcription", "input_cost_per_second": 0.0001, "output_cost_per_second": 0)"),
            "audio_second=0.0001\n");
  EXPECT_EQ(price(R"("mode": "audio_transcription", "input_cost_per_second": 0, "output_cost_per_second": 0.0002)"),
            "audio_second=0.0002\n");
}

TEST(PriceTable, WhatSearchesForEveryAnswerHasNoPriceOfTokensAlone) {
  const std::string all = rows(R"({
    "perplexity/sonar": {"litellm_provider": "perplexity", "mode": "chat", "input_cost_per_token": 1e-06,
      "search_context_cost_per_query": {"search_context_size_low": 0.005}},
    "perplexity/pplx-embed": {"litellm_provider": "perplexity", "mode": "embedding", "input_cost_per_token": 4e-09},
    "gpt-9-search-preview": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06},
    "gemini/g": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 1e-06,
      "search_context_cost_per_query": {"search_context_size_low": 0.035}}})");
  EXPECT_THAT(all, HasSubstr("perplexity/sonar\tchat\t\t\t\t\t\n"));
  EXPECT_THAT(all, HasSubstr("gpt-9-search-preview\tchat\t\t\t\t\t\n"));
  EXPECT_THAT(all, HasSubstr("perplexity/pplx-embed\tembedding\t\t\t\t\tinput=0.004\n"));
  EXPECT_THAT(all, HasSubstr("gemini/g\tchat\t\t\t\t\tinput=1\n"));
}

TEST(PriceTable, APictureWhosePriceGoesByItsSizeHasNone) {
  const std::string all = rows(R"({
    "dall-e": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_image": 0.04},
    "hd/1024-x-1792/dall-e": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_pixel": 1e-8},
    "bedrock/*/1-month-commitment/cohere.c": {"litellm_provider": "bedrock", "input_cost_per_second": 1},
    "serper/search": {"litellm_provider": "serper", "mode": "search", "input_cost_per_query": 0.001}})");
  EXPECT_EQ(all, "openai/dall-e\timage_generation\t\t\t\t\t\n");
}

TEST(PriceTable, StepsMayBeAList) {
  EXPECT_THAT(rows(R"({"dashscope/q": {"litellm_provider": "dashscope", "tiered_pricing": [
      {"input_cost_per_token": 5e-08, "output_cost_per_token": 4e-07, "range": [0, 256000.0]},
      {"input_cost_per_token": 2.5e-07, "output_cost_per_token": 2e-06, "range": [256000.0, 1000000.0]}]}})"),
              EndsWith("\tinput=0.05 output=0.4 input>256000=0.25 output>256000=2\n"));
}

TEST(PriceTable, SomethingElseIsRefused) {
  EXPECT_THAT(rows("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(rows("{}"), HasSubstr("no row"));
  EXPECT_THAT(rows("{\"a\": 1}"), HasSubstr("no row"));
  EXPECT_THAT(rows("{"), testing::Not(HasSubstr("\t")));
}

}  // namespace
}  // namespace sluice
