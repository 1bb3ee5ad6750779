// A stream of events -> Event. Text and thinking have no start of their own: their first delta opens them. The usage
// stands behind the stop. SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "base/text.h"
#include "dialects/aws_error.h"
#include "dialects/bedrock_converse/bedrock_converse.h"
#include "dialects/bedrock_converse/blocks.h"
#include "dialects/bedrock_converse/formats.h"
#include "dialects/bedrock_converse/stop.h"
#include "dialects/bedrock_converse/usage.h"
#include "dialects/spare.h"

namespace sluice::bedrock_converse {
namespace {

using json::Value;

Error broken(std::string detail) {
  return {.fault = Fault::upstream_broken,
          .message = "The upstream's stream broke off.",
          .detail = std::move(detail),
          .code = "stream_truncated"};
}

enum class Open : std::uint8_t { none, text, thinking, call, server, image };

class Reader final : public StreamReader {
 public:
  void read(const Frame& frame, std::vector<Event>& out) override {
    if (over_) return;
    out_ = &out;
    if (frame.failure) return failed(read_aws_error(0, frame.data, frame.event));
    const auto root = doc_.parse(frame.data);
    if (!root || !root->is_object()) return failed(broken("an event that is no JSON object"));
    step(frame, *root);
  }

  void end(std::vector<Event>& out) override {
    if (over_) return;
    out_ = &out;
    if (!complete_) return failed(broken("the stream ended without messageStop"));
    over_ = true;
    out.emplace_back(std::move(end_));
  }

  Sight observe(const Frame& frame) override {
    Sight sight;
    if (frame.failure) sight.error = read_aws_error(0, frame.data, frame.event);
    if (frame.event == "contentBlockDelta" || frame.event == "contentBlockStart") sight.content = true;
    if (frame.event == "messageStop") sight.terminal = complete_ = true;
    if (frame.event == "metadata") {
      if (const auto root = doc_.parse(frame.data)) {
        if (Usage usage = read_usage((*root)["usage"]); usage.known()) sight.usage = std::move(usage);
      }
    }
    return sight;
  }
  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  void step(const Frame& frame, Value root) {
    begin();  // some who speak this dialect for others leave out the event that says no more than that
    if (frame.event == "messageStart") return;
    if (frame.event == "metadata") {
      metadata(root);
    } else if (complete_) {
      // A block behind the stop is part of no answer; told again it would stand in front of the stop.
      if (!frame.event.starts_with("contentBlock") && frame.event != "messageStop") opaque(frame.event, frame.data);
    } else if (frame.event == "contentBlockStart") {
      start(root);
    } else if (frame.event == "contentBlockDelta") {
      delta(root);
    } else if (frame.event == "contentBlockStop") {
      close();
    } else if (frame.event == "messageStop") {
      stop(root);
    } else {
      opaque(frame.event, frame.data);
    }
  }

  void begin() {
    if (!std::exchange(begun_, true)) out_->emplace_back(Begin{.reply = {.origin = self}});
  }
  void failed(Error error) {
    over_ = true;
    complete_ = false;
    out_->emplace_back(Failed{std::move(error)});
  }
  void opaque(std::string_view type, std::string_view data) {
    out_->emplace_back(OpaqueEvent{.origin = self, .type = std::string(type), .raw = std::string(data)});
  }

  void stop(Value root) {
    close();
    complete_ = true;
    Stop stop = read_stop(root["stopReason"].text());
    stop.sequence = root["additionalModelResponseFields"]["stop_sequence"].text();
    out_->emplace_back(Finish{.stop = std::move(stop)});
    read_rest(root, {"stopReason", "p"}, end_.extras);
  }

  void metadata(Value root) {
    if (Usage usage = read_usage(root["usage"]); !usage.raw.empty()) out_->emplace_back(UsageSeen{std::move(usage)});
    end_.service_tier = root["serviceTier"]["type"].string();
    read_rest(root, {"usage", "p", end_.service_tier ? "serviceTier" : "p"}, end_.extras);
    if (!complete_) return;
    over_ = true;
    out_->emplace_back(std::move(end_));
  }

  // A block of another number ends the one before it, whether that was said or not.
  void at(Value root) {
    const auto index = root["contentBlockIndex"].integer();
    if (index && open_ != Open::none && *index != index_) close();
    if (index) index_ = *index;
  }

  void open(Open kind, Part part) {
    if (open_ == kind) return;
    close();
    open_ = kind;
    out_->emplace_back(BlockStart{.block = next_, .part = std::move(part)});
  }
  void grow(std::string text) {
    if (!text.empty()) out_->emplace_back(Delta{.block = next_, .text = std::move(text)});
  }

  void start(Value root) {
    close();
    at(root);
    const auto [kind, inside] = kind_of(root["start"]);
    if (kind == "toolUse" && !runs_itself(inside)) {
      const auto [id, name, type] = inside.pick("toolUseId", "name", "type");
      Part part{.body = ToolCall{.id = id.text(), .name = name.text()}};
      if (type.is_string()) remember(part.extras, self, type_memory);
      for (const auto [key, value] : inside.members()) {
        if (key != "toolUseId" && key != "name" && key != "type" && !value.is_null())
          add_inner(part.extras, self, "toolUse", key, value.raw());
      }
      open(Open::call, std::move(part));
    } else if (kind == "image") {
      open(Open::image, {.body = Media{.form = MediaForm::base64,
                                       .mime = mime_of_format(MediaKind::image, inside["format"].text()),
                                       .origin = self}});
    } else if (kind == "toolUse" || kind == "toolResult") {
      open_ = Open::server;
      held_ = "{\"" + std::string(kind) + "\":" + std::string(inside.raw()) + '}';
      growth_.clear();
    } else {
      opaque("contentBlockStart", root.raw());
    }
  }

  void delta(Value root) {
    at(root);
    const Value what = root["delta"];
    const auto [text, call, thinking, citation, result, image] =
        what.pick("text", "toolUse", "reasoningContent", "citation", "toolResult", "image");
    if (text.is_string()) {
      open(Open::text, {.body = Text{}});
      grow(text.text());
    } else if (call && open_ == Open::call) {
      grow(call["input"].text());
    } else if (call && open_ == Open::server) {
      growth_ += call["input"].text();
    } else if (result.is_array() && open_ == Open::server) {
      // Lists to be joined.
      const std::string_view items = result.raw().substr(1, result.raw().size() - 2);
      if (!growth_.empty() && !trim(items).empty()) growth_ += ',';
      growth_ += items;
    } else if (thinking.is_object()) {
      think(thinking);
    } else if (citation.is_object()) {
      open(Open::text, {.body = Text{}});
      out_->emplace_back(CitationSeen{.block = next_, .citation = read_citation(citation)});
    } else if (image["source"]["bytes"].is_string() && open_ == Open::image) {
      grow(image["source"]["bytes"].text());
    } else {
      opaque("contentBlockDelta", root.raw());
    }
  }

  void think(Value thinking) {
    const auto [text, signature, redacted] = thinking.pick("text", "signature", "redactedContent");
    if (redacted.is_string() && open_ != Open::thinking) {
      Belongs belongs = Belongs::itself;
      Seal seal = read_redacted(redacted.text(), belongs);
      if (belongs == Belongs::next) {
        travelled_ = std::move(seal);
        return;
      }
      redacted_ = true;
      open(Open::thinking, {.body = Reasoning{.redacted = belongs != Belongs::thought}});
    }
    open(Open::thinking, {.body = Reasoning{}});
    grow(text.text());
    proof_ += redacted.text() + signature.text();
  }

  void close() {
    if (open_ == Open::none) return;
    if (open_ == Open::server) close_server();
    BlockStop stop{.block = next_};
    if (!proof_.empty()) {
      Belongs belongs = Belongs::itself;
      stop.seal = redacted_ ? read_redacted(proof_, belongs) : read_seal(proof_, self);
    }
    if (!stop.seal && travelled_) stop.seal = std::exchange(travelled_, std::nullopt);
    proof_.clear();
    redacted_ = false;
    out_->emplace_back(std::move(stop));
    open_ = Open::none;
    ++next_;
  }

  // A block of the vendor's own tools comes whole: its start, and what has grown.
  void close_server() {
    const bool call = held_.starts_with(R"({"toolUse")");
    json::Edit grown{.pointer = call ? "/toolUse/input" : "/toolResult/content"};
    grown.value = !call ? '[' + growth_ + ']' : growth_.empty() ? "{}" : growth_;
    if (!json::valid(grown.value)) grown.value = json::quote(growth_);
    if (auto whole = json::apply(held_, std::span(&grown, 1))) held_ = *std::move(whole);
    json::Document doc;  // apart: the event at hand is still read
    const auto block = doc.parse(held_);
    Part part{.body = Opaque{.origin = self, .raw = held_}};
    if (block) part = read_block(*block);
    out_->emplace_back(BlockStart{.block = next_, .part = std::move(part)});
  }

  json::Document doc_;
  std::vector<Event>* out_ = nullptr;
  bool begun_ = false, over_ = false, complete_ = false;
  Open open_ = Open::none;
  std::int64_t index_ = 0;  // the upstream's number of the block
  std::int64_t next_ = 0;   // ours
  bool redacted_ = false;
  std::string proof_, held_, growth_;
  std::optional<Seal> travelled_;  // of the block that comes next
  End end_;
};

}  // namespace

std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace sluice::bedrock_converse
