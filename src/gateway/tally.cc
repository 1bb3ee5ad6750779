// SPDX-License-Identifier: MIT
#include "gateway/tally.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "dialects/registry.h"
#include "model/fold.h"

namespace sluice {
namespace {

using Words = std::string_view;

constexpr std::array id_pointers = {Words("/id"),         Words("/name"),           Words("/file/id"),
                                    Words("/file/name"),  Words("/output_file_id"), Words("/error_file_id"),
                                    Words("/response/id")};
constexpr std::array usage_pointers = {Words("/usage"), Words("/usageMetadata"), Words("/meta/billed_units"),
                                       Words("/response/usage"), Words("/message/usage")};
constexpr std::array model_pointers = {Words("/model"), Words("/modelVersion"), Words("/response/model"),
                                       Words("/message/model")};

// Titan's count of tokens, the length of what was heard, the kind of an event, images that were made.
constexpr std::array other_pointers = {Words("/inputTextTokenCount"), Words("/duration"), Words("/type"),
                                       Words("/data")};

constexpr auto pointers = [] {
  std::array<Words, id_pointers.size() + usage_pointers.size() + model_pointers.size() + other_pointers.size()> all;
  auto to = std::ranges::copy(id_pointers, all.begin()).out;
  to = std::ranges::copy(usage_pointers, to).out;
  to = std::ranges::copy(model_pointers, to).out;
  std::ranges::copy(other_pointers, to);
  return all;
}();

std::int64_t milliseconds(json::Value seconds) {
  const auto count = seconds.number();
  return count && *count >= 0 && *count < 1e9 ? std::llround(*count * 1000) : -1;
}

// OpenAI's newer form: totals, and what they are made of. "input_token_details" is the spelling of transcriptions.
Usage read_totals(json::Value usage) {
  const auto of = [](json::Value details, Words name) { return details[name].integer(); };
  Usage out;
  const json::Value in = usage["input_tokens_details"] ? usage["input_tokens_details"] : usage["input_token_details"];
  const json::Value made =
      usage["output_tokens_details"] ? usage["output_tokens_details"] : usage["output_token_details"];
  out.cache_read = of(in, "cached_tokens");
  out.audio_input = of(in, "audio_tokens");
  out.image_input = of(in, "image_tokens");
  out.reasoning = of(made, "reasoning_tokens");
  out.audio_output = of(made, "audio_tokens");
  out.image_output = of(made, "image_tokens");
  out.input = usage["total_tokens"].integer();  // of what makes none: rerankers tell no more
  if (const auto all = usage["input_tokens"].integer()) out.input = *all - out.cache_read.value_or(0);
  if (const auto all = usage["output_tokens"].integer()) out.output = *all - out.reasoning.value_or(0);
  return out;
}

Usage read_billed_units(json::Value units) {
  Usage out;
  out.input = units["input_tokens"].integer();
  out.output = units["output_tokens"].integer();
  if (const auto images = units["image_tokens"].integer(); images && *images > 0) {
    out.image_input = images;
    out.input = out.input.value_or(0) + *images;
  }
  return out;
}

}  // namespace

std::optional<Usage> read_operation_usage(DialectId id, std::string_view raw) {
  json::Document doc;
  const auto usage = doc.parse(raw);
  if (!usage || !usage->is_object()) return std::nullopt;
  // The dialects know their own words.
  const auto told_by = [&](DialectId speaker, Words name) {
    const std::string body = "{\"" + std::string(name) + "\":" + std::string(raw) + "}";
    const Dialect* words = dialect(speaker);
    return words ? words->reply_usage(body) : std::nullopt;
  };
  if ((*usage)["promptTokenCount"]) return told_by(DialectId::gemini, "usageMetadata");
  if ((*usage)["prompt_tokens"]) return told_by(DialectId::openai_chat, "usage");
  if (id == DialectId::anthropic) return told_by(DialectId::anthropic, "usage");
  Usage out = id == DialectId::cohere ? read_billed_units(*usage) : read_totals(*usage);
  out.origin = id;
  out.raw = raw;
  if (!out.known()) return std::nullopt;
  return out;
}

Tally::Tally(DialectId dialect, std::string_view operation, std::string_view content_type, std::string_view coding_name)
    : dialect_(dialect), operation_(operation), watch_(pointers) {
  const std::string type = lower(trim(content_type.substr(0, content_type.find(';'))));
  if (type == "text/event-stream") {
    kind_ = Kind::events;
  } else if (type == "application/json" || type.ends_with("+json")) {
    kind_ = Kind::json;
  }
  const auto known = coding(coding_name);
  if (!known) {
    kind_ = Kind::other;
  } else if (*known != Coding::identity && kind_ != Kind::other) {
    decoder_ = std::make_unique<Decoder>(*known, DecoderLimits{.bytes = 0});
  }
}

void Tally::feed(std::string_view bytes) {
  if (kind_ == Kind::other) return;
  if (!decoder_) return read(bytes);
  decoded_.clear();
  // What cannot be decoded here is the client's to complain of.
  if (!decoder_->feed(bytes, decoded_)) kind_ = Kind::other;
  read(decoded_);
}

void Tally::read(std::string_view bytes) {
  kind_ == Kind::events ? read_events(bytes) : watch_.feed(bytes);
}

// Every line of data is taken for a JSON text: vendors write no other events.
void Tally::read_events(std::string_view bytes) {
  constexpr Words data = "data:";
  while (!bytes.empty()) {
    if (line_ == Line::begins) {
      prefix_ += bytes.front();
      bytes.remove_prefix(1);
      if (prefix_ == data) {
        watch_.restart();
        line_ = Line::data;
      } else if (prefix_ == "\n" || prefix_ == "\r") {
        prefix_.clear();
        continue;
      } else if (!data.starts_with(prefix_)) {
        line_ = prefix_.ends_with('\n') ? Line::begins : Line::skipped;
      } else {
        continue;
      }
      prefix_.clear();
      continue;
    }
    const auto end = std::min(bytes.find('\n'), bytes.size());
    if (line_ == Line::data) watch_.feed(bytes.substr(0, end));
    if (end < bytes.size()) {
      if (line_ == Line::data) end_event();
      line_ = Line::begins;
    }
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
}

void Tally::end_event() {
  const std::string type = watch_.text("/type");
  if (type == "image_generation.completed" || type == "image_edit.completed")
    images_ = std::max<std::int64_t>(images_, 0) + 1;
}

Units Tally::units() const {
  Units out{.images = images_};
  json::Document units, usage, length;
  if (const auto billed = units.parse(watch_.raw("/meta/billed_units")))
    out.search_units = (*billed)["search_units"].integer().value_or(-1);
  if (const auto told = usage.parse(watch_.raw("/usage"))) {
    const auto [type, seconds, heard] = told->pick("type", "seconds", "prompt_audio_seconds");
    out.audio_ms = milliseconds(type.equals("duration") ? seconds : heard);
  }
  if (out.audio_ms < 0 && operation_.starts_with("audio.tran")) {
    if (const auto told = length.parse(watch_.raw("/duration"))) out.audio_ms = milliseconds(*told);
  }
  const auto made = operation_.starts_with("images.") ? watch_.elements("/data") : std::nullopt;
  if (made) out.images = static_cast<std::int64_t>(*made);
  return out;
}

std::optional<Usage> Tally::usage() const {
  std::optional<Usage> out;
  json::Document titan;
  if (const auto count = titan.parse(watch_.raw("/inputTextTokenCount")); count && count->integer())
    out = Usage{.input = count->integer(), .origin = dialect_};
  for (const Words pointer : {Words("/message/usage"), Words("/usage"), Words("/response/usage"),
                              Words("/usageMetadata"), Words("/meta/billed_units")}) {
    const Words raw = watch_.raw(pointer);
    if (raw.empty()) continue;
    auto told = read_operation_usage(dialect_, raw);
    if (!told) continue;
    if (out) {
      merge(*out, *told);
    } else {
      out = std::move(told);
    }
  }
  return out;
}

std::string Tally::model() const {
  for (const Words pointer : model_pointers) {
    if (std::string model = watch_.text(pointer); !model.empty()) return model;
  }
  return {};
}

std::vector<std::string> Tally::ids() const {
  std::vector<std::string> out;
  for (const Words pointer : id_pointers) {
    std::string id = watch_.text(pointer);
    if (const auto slash = id.rfind('/'); slash != std::string::npos) id.erase(0, slash + 1);
    if (!id.empty()) out.push_back(std::move(id));
  }
  return out;
}

}  // namespace sluice
