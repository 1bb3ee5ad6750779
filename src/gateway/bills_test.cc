// Bills made by hand for recorded exchanges, against what is made of the same bytes here: read by the dialect, whole or
// streamed, or by the tally of what passes, and priced by the public table. SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/json.h"
#include "base/money.h"
#include "base/text.h"
#include "dialects/registry.h"
#include "gateway/tally.h"
#include "model/fold.h"
#include "model/ledger_row.h"
#include "pricing/catalogue.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using Words = std::string_view;

const fs::path source = SLUICE_SOURCE_DIR;

std::string slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The recorded traffic; empty where there is none.
fs::path corpus() {
  const char* shared = std::getenv("SLUICE_SHARED");
  return shared && *shared ? fs::path(shared) / "corpus" : fs::path();
}

std::vector<Words> split(Words text, char by) {
  std::vector<Words> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(by, at), text.size());
    out.push_back(trim(text.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

// One answer as it came.
struct Answer {
  std::string name, body, type = "application/json";
  const Dialect* dialect = nullptr;  // null: it passes untouched
  Words operation;
};

struct Told {
  Usage usage;
  Units units;
  std::string tier;
};

struct Api {
  Words folder;
  DialectId dialect;
  Words operation;  // of what passes untouched
};
constexpr Api apis[] = {{"openai.chat", DialectId::openai_chat, ""},
                        {"openai.responses", DialectId::openai_responses, ""},
                        {"openai.completions", DialectId::openai_completions, ""},
                        {"anthropic.messages", DialectId::anthropic, ""},
                        {"other", DialectId::anthropic, ""},
                        {"gemini.generate", DialectId::gemini, ""},
                        {"gemini.stream", DialectId::gemini, ""},
                        {"bedrock.converse", DialectId::bedrock_converse, ""},
                        {"bedrock.converse_stream", DialectId::bedrock_converse, ""},
                        {"cohere.chat", DialectId::cohere, ""},
                        {"bedrock.invoke", DialectId::bedrock_converse, "invoke"},
                        {"openai.embeddings", DialectId::openai_chat, "embeddings"},
                        {"openai.images", DialectId::openai_chat, "images.generations"},
                        {"openai.audio", DialectId::openai_chat, "audio.transcriptions"},
                        {"cohere.embed", DialectId::cohere, "embed"},
                        {"cohere.rerank", DialectId::cohere, "rerank"},
                        {"gemini.embed", DialectId::gemini, "embeddings"}};

const Api* api_of(Words folder) {
  const auto* found = std::ranges::find(apis, folder, &Api::folder);
  return found == std::end(apis) ? nullptr : found;
}

// "openai.chat/NAME" or "other/NAME#result/message" of the corpus. nullopt: no answer that is read here.
std::optional<Answer> recorded(Words path) {
  const Words file = path.substr(0, path.find('#'));
  const Api* api = api_of(file.substr(0, file.find('/')));
  if (!api) return std::nullopt;
  const std::string text = slurp(corpus() / (std::string(file) + ".json"));
  json::Document doc;
  const auto root = doc.parse(text);
  if (!root || (*root)["status"].integer().value_or(0) != 200) return std::nullopt;
  Answer out{.name = std::string(path), .dialect = dialect(api->dialect), .operation = api->operation};
  if (!out.operation.empty()) out.dialect = nullptr;
  // Claude behind InvokeModel speaks its own words.
  if (api->folder == "bedrock.invoke" && (*root)["path"].text().contains("anthropic"))
    out.dialect = dialect(DialectId::anthropic);
  json::Value response = (*root)["response"];
  if (file.size() < path.size()) {
    for (const Words key : split(path.substr(file.size() + 1), '/')) response = response[key];
  }
  if ((*root)["response_sse"].is_string()) {
    out.body = (*root)["response_sse"].text();
    out.type = "text/event-stream";
  } else if (const auto bytes = base64_decode((*root)["response_b64"].text()); bytes && !bytes->empty()) {
    out.body = *bytes;
    out.type = "application/vnd.amazon.eventstream";
  } else if (response.is_object()) {
    out.body = response.raw();
  } else {
    return std::nullopt;
  }
  return out;
}

// "anthropic/testdata/reply_tools.json" of our own.
Answer written(Words path) {
  Answer out{.name = std::string(path),
             .body = slurp(source / "src/dialects" / path),
             .dialect = dialect(path.substr(0, path.find('/')))};
  if (path.ends_with(".sse")) out.type = "text/event-stream";
  return out;
}

// As a stream is read that is written anew, and as one that is forwarded is looked at: both must see the same.
std::optional<Told> read_stream(const Answer& answer) {
  Fold fold;
  Told told;
  for (const bool forwarded : {false, true}) {
    const auto framer = answer.dialect->framer(answer.type);
    const auto reader = answer.dialect->stream_reader();
    std::vector<Event> events;
    const auto take = [&](const Frame& frame) {
      if (!forwarded) return reader->read(frame, events);
      if (const Sight sight = reader->observe(frame); sight.usage) merge(told.usage, *sight.usage);
    };
    framer->feed(answer.body);
    for (auto frame = framer->next(); frame && *frame; frame = framer->next()) take(**frame);
    if (const auto last = framer->end(); last && *last) take(**last);
    if (!forwarded) reader->end(events);
    for (const Event& event : events) fold.add(event);
  }
  if (!fold.complete()) return std::nullopt;
  const auto reply = fold.take();
  if (!reply) return std::nullopt;
  EXPECT_EQ(Buckets(reply->usage, {}), Buckets(told.usage, {})) << answer.name;
  told.tier = reply->service_tier.value_or("");
  return told;
}

std::optional<Told> read(const Answer& answer) {
  if (!answer.dialect) {
    Tally tally(DialectId::openai_chat, answer.operation, answer.type, "");
    if (answer.operation == "embed" || answer.operation == "rerank")
      tally = Tally(DialectId::cohere, answer.operation, answer.type, "");
    tally.feed(answer.body);
    return Told{.usage = tally.usage().value_or(Usage()), .units = tally.units()};
  }
  if (answer.type != "application/json") return read_stream(answer);
  const auto reply = answer.dialect->read_reply(answer.body);
  if (!reply) return std::nullopt;
  // Where it passes, nothing but the usage is read.
  const Usage passing = answer.dialect->reply_usage(answer.body).value_or(Usage());
  EXPECT_EQ(Buckets(reply->usage, {}), Buckets(passing, {})) << answer.name;
  return Told{.usage = reply->usage, .tier = reply->service_tier.value_or("")};
}

// One line of testdata/bills.txt.
struct Bill {
  std::string answer, vendor, model, kind, sum, unknown;
  std::int64_t nano_dollars = 0;
  bool told = false;  // the vendor says the same in its answer
  [[nodiscard]] bool own() const { return answer.contains("/testdata/"); }
};

std::vector<Bill> bills() {
  std::vector<Bill> out;
  const std::string text = slurp(source / "src/gateway/testdata/bills.txt");
  for (const Words line : split(text, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto fields = split(line, '|');
    if (fields.size() != 7) {
      ADD_FAILURE() << "no bill: " << line;
      continue;
    }
    const auto slash = fields[1].find('/');
    Bill bill{.answer = std::string(fields[0]),
              .vendor = std::string(fields[1].substr(0, slash)),
              .model = std::string(fields[1].substr(slash + 1)),
              .kind = std::string(fields[2]),
              .sum = std::string(fields[3]),
              .unknown = std::string(fields[5]),
              .told = fields[6] == "told"};
    std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), bill.nano_dollars);
    out.push_back(std::move(bill));
  }
  return out;
}

// "85 x 0.5 + 3 @ 0.002": tokens at dollars for a million, pieces at dollars each. In nano-dollars, rounded once.
std::int64_t add_up(Words sum) {
  __extension__ __int128 nano_per_million = 0;
  if (sum.empty()) return 0;
  for (const Words term : split(sum, '+')) {
    const auto words = split(term, ' ');
    const auto count = words.size() == 3 ? read_decimal(words[0], 0) : std::nullopt;
    const auto price = count ? read_decimal(words[2], words[1] == "x" ? 9 : 15) : std::nullopt;
    if (!price) ADD_FAILURE() << "no term: " << term;
    nano_per_million += static_cast<__int128>(count.value_or(0)) * price.value_or(0);
  }
  return static_cast<std::int64_t>((nano_per_million + 500'000) / 1'000'000);
}

std::string unknowns(const Cost& cost) {
  std::string out;
  for (int i = 0; i < charge_count; ++i) {
    const auto charge = static_cast<Charge>(i);
    if (!cost.knows(charge)) out += (out.empty() ? "" : " ") + std::string(name(charge));
  }
  return out;
}

// What the vendor itself says that the call cost.
std::optional<std::int64_t> vendors_figure(const Usage& usage) {
  json::Document doc;
  const auto raw = doc.parse(usage.raw);
  if (!raw) return std::nullopt;
  if (const auto ticks = (*raw)["cost_in_usd_ticks"].integer()) return *ticks / 10;
  const json::Value cost = (*raw)["cost"];
  const json::Value dollars = cost.is_object() ? cost["total_cost"] : cost;
  return dollars ? read_decimal(dollars.raw(), 9) : std::nullopt;
}

TEST(Bills, AreWhatTheHandMakesThem) {
  int checked = 0, told_too = 0;
  for (const Bill& bill : bills()) {
    EXPECT_EQ(add_up(bill.sum), bill.nano_dollars) << bill.answer << ": the hand has erred";
    if (!bill.own() && corpus().empty()) continue;
    const auto answer = bill.own() ? written(bill.answer) : recorded(bill.answer);
    ASSERT_TRUE(answer) << bill.answer;
    const auto told = read(*answer);
    ASSERT_TRUE(told) << bill.answer;
    const auto row = Catalogue::built_in().find(bill.vendor, bill.model);
    ASSERT_TRUE(row) << bill.model;
    const Lane lane = lane_of(told->tier);
    const Cost ours = cost(row->price, told->usage, told->units, lane);
    EXPECT_EQ(ours.nano_dollars, bill.nano_dollars) << bill.answer << ' ' << bill.model << ": " << bill.sum;
    EXPECT_EQ(unknowns(ours), bill.unknown) << bill.answer << ' ' << bill.model;
    if (bill.told) {
      EXPECT_EQ(vendors_figure(told->usage), bill.nano_dollars) << bill.answer;
      ++told_too;
    }
    std::cout << "bill: " << (bill.own() ? "" : answer->name.substr(answer->name.find('/') + 1)) << " " << bill.vendor
              << '/' << bill.model << " [" << bill.kind << "] " << bill.sum << " = $"
              << write_decimal(ours.nano_dollars, 9) << (bill.unknown.empty() ? "" : ", unknown: " + bill.unknown)
              << (bill.told ? ", as the vendor says" : "") << '\n';
    ++checked;
  }
  std::cout << "bills: " << checked << ", of which " << told_too << " are told by the vendor, too\n";
  EXPECT_GE(checked, corpus().empty() ? 9 : 60);
  if (corpus().empty()) GTEST_SKIP() << "SLUICE_SHARED: no recorded traffic; own answers only";
}

// Every recorded answer with usage, and every written one.
std::vector<Answer> all_answers() {
  std::vector<Answer> out;
  for (const auto& entry : fs::recursive_directory_iterator(source / "src/dialects")) {
    const std::string path = fs::relative(entry.path(), source / "src/dialects").string();
    if (!path.contains("/testdata/")) continue;
    const std::string file = entry.path().filename().string();
    if (file.starts_with("reply_") || file.ends_with(".sse")) out.push_back(written(path));
  }
  if (corpus().empty()) return out;
  for (const Api& api : apis) {
    if (api.folder == "other") continue;
    for (const auto& entry : fs::directory_iterator(corpus() / api.folder)) {
      if (auto answer = recorded(std::string(api.folder) + '/' + entry.path().stem().string()))
        out.push_back(*std::move(answer));
    }
  }
  return out;
}

// The vendor's own total, by the names that there are. Some tell none.
std::optional<std::int64_t> total_told(const Usage& usage) {
  json::Document doc;
  const auto raw = doc.parse(usage.raw);
  if (!raw) return std::nullopt;
  for (const Words name : {"total_tokens", "totalTokenCount", "totalTokens"}) {
    if (const auto total = (*raw)[name].integer()) return total;
  }
  return std::nullopt;
}

TEST(Buckets, OfEveryAnswerSumToItsTotalAndAreNeverNegative) {
  int answers = 0, totals = 0, differ = 0;
  for (const Answer& answer : all_answers()) {
    const auto told = read(answer);
    if (!told || !told->usage.known()) continue;
    ++answers;
    const Usage& usage = told->usage;
    for (const auto& bucket : {usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h,
                               usage.tool_input, usage.output, usage.reasoning, usage.audio_input, usage.image_input,
                               usage.audio_output, usage.image_output, usage.billed_input, usage.billed_output}) {
      EXPECT_GE(bucket.value_or(0), 0) << answer.name << ' ' << usage.raw;
    }
    EXPECT_LE(usage.audio_input.value_or(0) + usage.image_input.value_or(0), usage.total_input()) << answer.name;
    EXPECT_LE(usage.audio_output.value_or(0) + usage.image_output.value_or(0), usage.total_output()) << answer.name;
    if (const auto total = total_told(usage)) {
      ++totals;
      // Some leave thoughts out of it (Vercel), or what was cached (xAI).
      const std::int64_t ours = usage.total_input() + usage.total_output();
      const bool apart = ours - usage.reasoning.value_or(0) == *total || ours - usage.cache_read.value_or(0) == *total;
      EXPECT_TRUE(ours == *total || apart) << answer.name << ' ' << usage.raw;
      differ += ours != *total;
    }
  }
  std::cout << "usage: " << answers << " answers, " << totals << " with a total, " << differ
            << " of which leave something out\n";
  EXPECT_LT(differ, 30);
  EXPECT_GE(answers, corpus().empty() ? 30 : 1400);
}

TEST(Bills, RecomputedByUnchangedPricesAreTheSame) {
  struct Kept {
    std::string model;
    Price price, again;  // as the ledger's text has it
  };
  std::vector<Kept> prices;
  for (const Bill& bill : bills()) {
    const auto row = Catalogue::built_in().find(bill.vendor, bill.model);
    ASSERT_TRUE(row);
    const auto again = read_price(write_price(row->price));
    ASSERT_TRUE(again);
    prices.push_back({.model = bill.model, .price = row->price, .again = *again});
  }
  int computed = 0;
  for (const Answer& answer : all_answers()) {
    const auto told = read(answer);
    if (!told) continue;
    const Buckets kept(told->usage, told->units);
    for (const auto& [model, price, again] : prices) {
      for (const Lane lane : {Lane::standard, Lane::batch, Lane::flex, Lane::priority}) {
        const Cost first = cost(price, told->usage, told->units, lane);
        EXPECT_EQ(cost(again, kept.usage(), kept.units(), lane), first) << answer.name << ' ' << model;
        EXPECT_GE(first.nano_dollars, 0);
        ++computed;
      }
    }
  }
  EXPECT_GT(computed, 5000);
}

}  // namespace
}  // namespace sluice
