// A Messages stream, frame by frame, as events. SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "dialects/anthropic/anthropic.h"
#include "dialects/anthropic/blocks.h"
#include "dialects/anthropic/stop.h"
#include "dialects/anthropic/usage.h"
#include "dialects/seal_envelope.h"

namespace sluice::anthropic {
namespace {

constexpr DialectId self = DialectId::anthropic;

Error broken(std::string detail) {
  return {.fault = Fault::upstream_broken,
          .message = "The upstream's answer broke in the middle of the stream.",
          .detail = std::move(detail)};
}

// What kind of block is open; it decides which deltas fit.
enum class Open : std::uint8_t { none, text, thinking, call, held };

class Reader final : public StreamReader {
 public:
  void read(const Frame& frame, std::vector<Event>& out) override {
    if (over_ || frame.comment || frame.data == "[DONE]") return;
    const auto root = doc_.parse(frame.data);
    if (!root || !root->is_object()) return failed(broken("a stream event that is no JSON object"), out);
    out_ = &out;
    const json::Value type = (*root)["type"];
    // By far the most frequent first.
    if (type.equals("content_block_delta")) return on_delta(*root, frame);
    if (type.equals("content_block_start")) return on_block_start(*root);
    if (type.equals("content_block_stop")) return on_block_stop(*root);
    if (type.equals("message_start")) return on_message_start(*root);
    if (type.equals("message_delta")) return on_message_delta(*root);
    if (type.equals("message_stop")) return on_message_stop();
    if (type.equals("error")) return failed(read_error_object(*root), out);
    if (!begun_) return;  // nothing else can be said before the message has begun
    if (type.equals("ping")) return static_cast<void>(out.emplace_back(Ping{}));
    out.emplace_back(OpaqueEvent{.origin = self, .type = name_of(*root, frame), .raw = std::string(frame.data)});
  }

  void end(std::vector<Event>& out) override {
    if (!over_) failed(broken("the stream ended without message_stop"), out);
  }

  Sight observe(const Frame& frame) override {
    Sight sight;
    if (over_ || frame.comment) return sight;
    // Names alone tell what most frames are; only those that say something are read.
    if (frame.event == "content_block_delta") {
      sight.content = true;
      return sight;
    }
    if (frame.event == "content_block_start" || frame.event == "content_block_stop" || frame.event == "ping")
      return sight;
    const auto root = doc_.parse(frame.data);
    if (!root) return sight;
    const json::Value type = (*root)["type"];
    if (type.equals("content_block_delta")) {
      sight.content = true;
    } else if (type.equals("message_start")) {
      sight.usage = see_usage((*root)["message"]["usage"]);
    } else if (type.equals("message_delta")) {
      sight.usage = see_usage((*root)["usage"]);
    } else if (type.equals("message_stop")) {
      sight.terminal = complete_ = over_ = true;
    } else if (type.equals("error")) {
      sight.error = read_error_object(*root);
      over_ = true;
    }
    return sight;
  }

  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  static std::string name_of(json::Value root, const Frame& frame) {
    return frame.event.empty() ? root["type"].text() : std::string(frame.event);
  }

  void failed(Error error, std::vector<Event>& out) {
    over_ = true;
    out.emplace_back(Failed{std::move(error)});
  }
  void failed(std::string detail) { failed(broken(std::move(detail)), *out_); }

  std::optional<Usage> see_usage(json::Value usage) {
    if (!usage.is_object()) return std::nullopt;
    usage_ = merge_usage(usage_, usage);
    json::Document doc;
    const auto merged = doc.parse(usage_);
    return merged ? std::optional(read_usage(*merged)) : std::nullopt;
  }

  void on_message_start(json::Value root) {
    const json::Value message = root["message"];
    std::string id = message["id"].text();
    if (begun_) {
      if (id != id_) failed("a second message in one stream");
      return;
    }
    begun_ = true;
    id_ = std::move(id);
    Begin begin{.reply = {.origin = self, .id = id_, .model = message["model"].text()}};
    if (const auto tier = message["usage"]["service_tier"].string()) begin.reply.service_tier = read_tier(*tier);
    read_extras(message,
                {"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage",
                 "container"},
                begin.reply.extras);
    // The container may be named at either end of a stream: the last word counts.
    if (const json::Value container = message["container"]; container.is_object()) container_ = container.raw();
    out_->emplace_back(std::move(begin));
    if (auto usage = see_usage(message["usage"])) out_->emplace_back(UsageSeen{*std::move(usage)});
  }

  void on_block_start(json::Value root) {
    if (!begun_) return failed("a block before message_start");
    if (open_ != Open::none) close();
    index_ = root["index"].integer().value_or(next_);
    const json::Value block = root["content_block"];
    auto part = read_block(block);
    if (!part) return failed("a broken block: " + part.error()->message);
    seal_.clear();
    first_seal_.reset();
    arguments_seen_ = false;
    held_delta_.clear();
    if (part->as<ServerTool>() != nullptr || part->as<Opaque>() != nullptr) {
      held_ = *std::move(part);
      open_ = Open::held;
      return;
    }
    std::string begun;  // text that came with the opening already
    std::vector<Citation> citations;
    if (auto* text = part->as<Text>()) {
      open_ = Open::text;
      begun = std::exchange(text->text, {});
      citations = std::exchange(text->citations, {});
    } else if (auto* reasoning = part->as<Reasoning>()) {
      open_ = Open::thinking;
      begun = std::exchange(reasoning->text, {});
      first_seal_ = std::exchange(part->seal, std::nullopt);
    } else if (auto* call = part->as<ToolCall>()) {
      open_ = Open::call;
      first_input_ = std::exchange(call->arguments, {});
    } else {
      // Images, documents and results are no answers of this vendor's, but they are kept.
      held_ = Part{.body = Opaque{.origin = self, .type = block["type"].text(), .raw = std::string(block.raw())}};
      open_ = Open::held;
      return;
    }
    out_->emplace_back(BlockStart{.block = next_, .part = *std::move(part)});
    if (!begun.empty()) grow(std::move(begun), {});
    for (Citation& citation : citations) out_->emplace_back(CitationSeen{0, next_, std::move(citation)});
  }

  void grow(std::string text, Extras extras) {
    out_->emplace_back(Delta{.block = next_, .text = std::move(text), .extras = std::move(extras)});
  }

  void on_delta(json::Value root, const Frame& frame) {
    if (open_ == Open::none) return failed("a delta outside a block");
    if (const auto index = root["index"].integer(); index && *index != index_) {
      return failed("a delta for block " + std::to_string(*index) + " while " + std::to_string(index_) + " is open");
    }
    const json::Value delta = root["delta"];
    const json::Value type = delta["type"];
    if (open_ == Open::text && type.equals("text_delta")) return grow_by(delta, "text");
    if (open_ == Open::call && type.equals("input_json_delta")) {
      if (delta["partial_json"].raw().size() <= 2) return;  // "" says nothing
      arguments_seen_ = true;
      return grow_by(delta, "partial_json");
    }
    if (open_ == Open::thinking && type.equals("thinking_delta")) return grow_by(delta, "thinking");
    if (open_ == Open::thinking && type.equals("signature_delta")) {
      seal_ += delta["signature"].text();
      return;
    }
    if (open_ == Open::text && type.equals("citations_delta")) {
      out_->emplace_back(CitationSeen{0, next_, read_citation(delta["citation"])});
      return;
    }
    if (open_ == Open::held) return hold_delta(delta);
    out_->emplace_back(OpaqueEvent{.origin = self, .type = name_of(root, frame), .raw = std::string(frame.data)});
  }

  void grow_by(json::Value delta, std::string_view member) {
    Extras extras;
    if (delta.size() > 2) read_extras(delta, {"type", member}, extras);
    std::string text = delta[member].text();
    if (text.empty() && extras.empty()) return;
    grow(std::move(text), std::move(extras));
  }

  // Blocks that are handed on whole grow here: input by its JSON, everything else by strings of the same name.
  void hold_delta(json::Value delta) {
    if (delta["type"].equals("input_json_delta")) {
      held_delta_ += delta["partial_json"].text();
      return;
    }
    RawJson& raw = raw_of(held_);
    std::vector<json::Edit> edits;
    json::Document doc;
    const auto block = doc.parse(raw);
    for (const auto [key, value] : delta.members()) {
      if (key == "type" || !block) continue;
      const json::Value before = (*block)[key];
      const bool joins = before.is_string() && value.is_string();
      edits.push_back({.pointer = '/' + json::pointer_token(key),
                       .value = joins ? json::quote(before.text() + value.text()) : std::string(value.raw())});
    }
    if (auto grown = json::apply(raw, edits)) raw = *std::move(grown);
  }

  static RawJson& raw_of(Part& part) {
    if (auto* tool = part.as<ServerTool>()) return tool->raw;
    return part.as<Opaque>()->raw;
  }

  void on_block_stop(json::Value root) {
    if (open_ == Open::none) {
      // Bridges are known to close twice.
      if (next_ == 0) failed("a block stop before a block");
      return;
    }
    if (const auto index = root["index"].integer(); index && *index != index_) {
      return failed("a stop for block " + std::to_string(*index) + " while " + std::to_string(index_) + " is open");
    }
    close();
  }

  void close() {
    BlockStop stop{.block = next_};
    if (open_ == Open::call && !arguments_seen_) grow(first_input_.empty() ? "{}" : first_input_, {});
    if (open_ == Open::thinking) stop.seal = seal_.empty() ? std::move(first_seal_) : read_seal(seal_, self);
    if (open_ == Open::held) {
      if (!held_delta_.empty() && json::valid(held_delta_)) {
        const json::Edit input{.pointer = "/input", .value = held_delta_};
        if (auto whole = json::apply(raw_of(held_), std::span(&input, 1))) raw_of(held_) = *std::move(whole);
      }
      out_->emplace_back(BlockStart{.block = next_, .part = std::move(held_)});
    }
    out_->emplace_back(std::move(stop));
    open_ = Open::none;
    ++next_;
  }

  void on_message_delta(json::Value root) {
    if (!begun_) return failed("a message_delta before message_start");
    const json::Value delta = root["delta"];
    if (const Stop stop = read_stop(delta); !stop.raw.empty() || stop_.raw.empty()) stop_ = stop;
    if (const json::Value container = delta["container"]; container.is_object()) container_ = container.raw();
    end_extras_ = {};
    read_extras(delta, {"stop_reason", "stop_sequence", "stop_details", "container"}, end_extras_);
    read_extras(root, {"type", "delta", "usage"}, end_extras_);
    if (auto usage = see_usage(root["usage"])) out_->emplace_back(UsageSeen{*std::move(usage)});
  }

  void on_message_stop() {
    if (!begun_) return failed("a message_stop before message_start");
    if (open_ != Open::none) close();
    over_ = complete_ = true;
    out_->emplace_back(Finish{.stop = std::move(stop_)});
    if (!container_.empty()) end_extras_.add(self, "container", container_);
    out_->emplace_back(End{.extras = std::move(end_extras_)});
  }

  json::Document doc_;
  std::vector<Event>* out_ = nullptr;  // of the frame that is being read
  bool begun_ = false;
  bool over_ = false;
  bool complete_ = false;
  std::string id_;
  RawJson usage_;  // everything said so far
  RawJson container_;
  Stop stop_{.origin = self};
  Extras end_extras_;

  Open open_ = Open::none;
  std::int64_t index_ = 0;          // the open block's, as the upstream counts
  std::int64_t next_ = 0;           // the open or next block's, as events count
  std::optional<Seal> first_seal_;  // that came with the opening
  std::string seal_;                // that came in deltas
  std::string first_input_;         // of a call whose input came with its opening
  bool arguments_seen_ = false;
  Part held_;
  std::string held_delta_;
};

}  // namespace

std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace sluice::anthropic
