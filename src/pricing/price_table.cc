// SPDX-License-Identifier: MIT
#include "pricing/price_table.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/json.h"
#include "base/money.h"
#include "base/text.h"
#include "pricing/catalogue.h"

namespace sluice {
namespace {

using Words = std::string_view;

constexpr Words header =
    R"(# sluice models 1
# Made by `sluice models update` from LiteLLM's model_prices_and_context_window.json; replace it, do not edit it.
# Fields, between tabs: vendor/model, mode, window (tokens of input), tokens of output at most, the day of its end,
# abilities, prices. Prices are dollars: per million tokens; per search_unit, audio_second, image. "batch.input" is the
# price of that lane, "input>200000" the one of all input when there is more of it than that.
#
# The data: MIT License, Copyright (c) 2023 Berri AI
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
# documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
# rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
# persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and
# this permission notice shall be included in all copies or substantial portions of the Software. THE SOFTWARE IS
# PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
# MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
# HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
# ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
)";

// Who is meant by a provider of the table, what it puts in front of its names, and our name for it. Of two rows for one
// model the lower rank counts. Whoever is not here keeps the name.
struct Vendor {
  Words theirs, front, ours;
  int rank = 0;
};
constexpr std::array vendors = {Vendor{"text-completion-openai", "text-completion-openai", "openai"},
                                Vendor{"azure_text", "azure", "azure"},
                                Vendor{"azure_ai", "azure_ai", "azure", 2},
                                Vendor{"bedrock_converse", "bedrock", "bedrock"},
                                Vendor{"dashscope", "dashscope", "qwen"},
                                Vendor{"zai", "zai", "zhipu"},
                                Vendor{"cohere_chat", "cohere", "cohere"},
                                Vendor{"together_ai", "together_ai", "together"},
                                Vendor{"fireworks_ai-embedding-models", "fireworks_ai", "fireworks_ai"}};

Vendor vendor_of(Words theirs) {
  if (theirs.starts_with("vertex_ai")) return {theirs, "vertex_ai", "vertex"};
  const auto* found = std::ranges::find(vendors, theirs, &Vendor::theirs);
  return found == vendors.end() ? Vendor{theirs, theirs, theirs} : *found;
}

struct Field {
  Words name;
  Charge charge;
};
constexpr std::array token_fields = {Field{"input_cost_per_token", Charge::input},
                                     Field{"output_cost_per_token", Charge::output},
                                     Field{"cache_read_input_token_cost", Charge::cache_read},
                                     Field{"input_cost_per_token_cache_hit", Charge::cache_read},
                                     Field{"cache_creation_input_token_cost", Charge::cache_write_5m},
                                     Field{"cache_creation_input_token_cost_above_1hr", Charge::cache_write_1h},
                                     Field{"output_cost_per_reasoning_token", Charge::reasoning},
                                     Field{"input_cost_per_audio_token", Charge::audio_input},
                                     Field{"output_cost_per_audio_token", Charge::audio_output},
                                     Field{"input_cost_per_image_token", Charge::image_input},
                                     Field{"output_cost_per_image_token", Charge::image_output}};

struct LaneEnd {
  Words end;
  Lane lane;
};
constexpr std::array lanes = {LaneEnd{"_batches", Lane::batch}, LaneEnd{"_flex", Lane::flex},
                              LaneEnd{"_priority", Lane::priority}};

constexpr std::array<std::pair<Words, Words>, 14> abilities = {
    {{"supports_function_calling", "tools"},
     {"supports_parallel_function_calling", "parallel_tools"},
     {"supports_tool_choice", "tool_choice"},
     {"supports_response_schema", "schema"},
     {"supports_vision", "vision"},
     {"supports_pdf_input", "pdf"},
     {"supports_audio_input", "audio_input"},
     {"supports_audio_output", "audio_output"},
     {"supports_video_input", "video_input"},
     {"supports_reasoning", "reasoning"},
     {"supports_prompt_caching", "cache"},
     {"supports_web_search", "web_search"},
     {"supports_computer_use", "computer_use"},
     {"supports_assistant_prefill", "prefill"}}};

std::optional<std::int64_t> rate_of(json::Value value) {
  return value.is_number() ? read_decimal(value.raw(), 15) : std::nullopt;
}

bool charges(json::Value value) {
  return rate_of(value).value_or(0) > 0;
}

// "input_cost_per_token_above_200k_tokens_priority". nullopt: no price of tokens.
std::optional<Rate> read_field(Words name, json::Value value) {
  Rate out;
  for (const LaneEnd& lane : lanes) {
    if (!name.ends_with(lane.end)) continue;
    name.remove_suffix(lane.end.size());
    out.lane = lane.lane;
  }
  constexpr Words unit = "k_tokens";
  if (name.ends_with(unit)) {
    const auto above = name.rfind("_above_");
    if (above == Words::npos) return std::nullopt;
    const Words number = name.substr(above + 7, name.size() - above - 7 - unit.size());
    const auto threshold = read_decimal(number, 3);
    if (!threshold) return std::nullopt;
    out.above = *threshold;
    name = name.substr(0, above);
  }
  const auto* field = std::ranges::find(token_fields, name, &Field::name);
  const auto rate = rate_of(value);
  if (field == token_fields.end() || !rate) return std::nullopt;
  out.charge = field->charge;
  out.nano_per_million = *rate;
  return out;
}

void read_tokens(json::Value row, Price& out) {
  for (const auto& [name, value] : row.members()) {
    const auto rate = read_field(name, value);
    if (rate && (name != "input_cost_per_token_cache_hit" || !row["cache_read_input_token_cost"])) out.set(*rate);
  }
  // Steps by input, where they are a list.
  for (const json::Value step : row["tiered_pricing"].elements()) {
    const json::Value from = step["range"].at(0);
    const auto above = from ? read_decimal(from.raw(), 0) : std::nullopt;
    if (!above) continue;
    for (const auto& [name, value] : step.members()) {
      if (auto rate = read_field(name, value)) {
        rate->above = *above;
        out.set(*rate);
      }
    }
  }
}

// What is charged by the piece. `sized`: the price of a picture of this model goes by its size.
void read_pieces(json::Value row, Words mode, bool sized, Price& out) {
  const auto set = [&](Charge charge, json::Value value) {
    if (const auto rate = rate_of(value)) out.set({.charge = charge, .nano_per_million = *rate});
  };
  if (mode == "rerank") set(Charge::search_unit, row["input_cost_per_query"]);
  if (mode == "audio_transcription" && !charges(row["input_cost_per_token"])) {
    const auto [in, other] = row.pick("input_cost_per_second", "output_cost_per_second");
    set(Charge::audio_second, charges(in) ? in : other);
  }
  if (mode.starts_with("image_") && !out.has(Charge::image_output) && !sized) {
    // Most rows of picture makers call the price of what is made that of the input.
    const auto [made, given] = row.pick("output_cost_per_image", "input_cost_per_image");
    set(Charge::image, made ? made : given);
  }
}

// What searches for every answer by itself; what that costs beside the tokens goes by things that no answer's usage
// tells.
bool searches(Words name) {
  return name.contains("perplexity/sonar") || name.contains("-search-");
}

Price read_price_of(json::Value row, Words name, Words mode, bool sized) {
  Price out;
  if (charges(row["input_cost_per_request"])) return out;  // no answer tells it
  if (mode == "chat" && searches(name)) return out;
  read_tokens(row, out);
  read_pieces(row, mode, sized, out);
  return out;
}

bool is_date(Words text) {
  return text.size() == 10 && text[4] == '-' && text[7] == '-' && text.find_first_not_of("0123456789-") == Words::npos;
}

// A name for a size, a quality or a contract of some model instead of a model.
bool is_variant(Words name) {
  return name.contains("-x-") || name.contains('*') || name.contains("-commitment/") || name.contains("-steps/");
}

std::optional<std::int64_t> tokens(json::Value value) {
  return value.is_number() ? read_decimal(value.raw(), 0) : std::nullopt;
}

// The texts are views of `row`'s document and of `name`.
CatalogueRow read_model(json::Value row, const std::string& name, const std::string& mode, const std::string& until,
                        std::string& able, bool sized) {
  for (const auto& [theirs, ours] : abilities) {
    if (row[theirs].boolean() == true) able += (able.empty() ? "" : ",") + std::string(ours);
  }
  CatalogueRow out{.vendor = Words(name).substr(0, name.find('/')),
                   .model = Words(name).substr(name.find('/') + 1),
                   .mode = mode,
                   .window = tokens(row["max_input_tokens"]),
                   .answer = tokens(row["max_output_tokens"]),
                   .abilities = able,
                   .price = read_price_of(row, name, mode, sized)};
  if (is_date(until)) out.until = until;
  return out;
}

struct Found {
  int rank;
  json::Value row;
};

}  // namespace

Result<PriceTable> read_price_table(std::string_view text) {
  json::Document document;
  TRY(const auto root, document.parse(text));
  if (!root.is_object()) return fail(Fault::bad_request, "This is no table of prices: it is no JSON object.");
  PriceTable out;
  std::map<std::string, std::vector<Found>> models;
  std::set<std::string> sized;
  for (const auto& [key, row] : root.members()) {
    const std::string theirs = row["litellm_provider"].text();
    const std::string mode = row["mode"].text();
    if (theirs.empty() || theirs.contains(' ')) continue;  // about the table itself
    const Vendor vendor = vendor_of(theirs);
    Words name = key;
    const bool fronted = name.starts_with(vendor.front) && name.substr(vendor.front.size()).starts_with('/');
    if (fronted) name.remove_prefix(vendor.front.size() + 1);
    if (is_variant(name) || mode == "search" || mode == "vector_store") {
      ++out.left_out;
      sized.insert(std::string(vendor.ours) + '/' + lower(name.substr(name.rfind('/') + 1)));
      continue;
    }
    if (vendor.ours == "bedrock" && name.starts_with("invoke/")) name.remove_prefix(7);
    models[std::string(vendor.ours) + '/' + lower(name)].push_back({vendor.rank + (fronted ? 0 : 1), row});
  }
  if (models.empty()) return fail(Fault::bad_request, "This is no table of prices: no row names a litellm_provider.");
  out.text = header;
  for (auto& [name, found] : models) {
    std::ranges::stable_sort(found, {}, &Found::rank);
    const json::Value row = found.front().row;
    const std::string mode = row["mode"].text(), until = row["deprecation_date"].text();
    std::string able;
    CatalogueRow model = read_model(row, name, mode, until, able, sized.contains(name));
    for (const Found& other : found) {
      // Two rows that say the same with equal right: neither is believed.
      if (other.rank == found.front().rank && read_price_of(other.row, name, mode, sized.contains(name)) != model.price)
        model.price = {};
    }
    ++out.rows;
    out.priced += model.price.empty() ? 0 : 1;
    out.text += write_row(model) + '\n';
  }
  return out;
}

}  // namespace sluice
