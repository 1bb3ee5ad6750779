// A Chat stream, frame by frame, as events. The vendor counts content, calls and citations apart; citations come while
// the text that they stand in is open or right behind it, so a text is closed by what follows it.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/text.h"
#include "dialects/cohere/cohere.h"
#include "dialects/cohere/message.h"
#include "dialects/cohere/stop.h"
#include "dialects/cohere/usage.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"

namespace sluice::cohere {
namespace {

using json::Value;

Error broken(std::string detail) {
  return {.fault = Fault::upstream_broken,
          .message = "The upstream's answer broke off before it was complete.",
          .detail = std::move(detail)};
}

void spare(Extras& extras, Value object, std::initializer_list<std::string_view> known) {
  for (const auto [key, value] : object.members()) {
    if (value.is_null() || std::ranges::find(known, key) != known.end()) continue;
    extras.add(self, key, value.raw());
  }
}

// The error that a message-end tells, if it tells one. ERROR and TIMEOUT are no ends.
std::optional<Error> error_of_end(Value delta) {
  const auto [reason, words] = delta.pick("finish_reason", "error");
  if (read_stop(reason.text()).kind != StopKind::error && words.text().empty()) return std::nullopt;
  return failed_answer(reason.text(), words.text());
}

// An error without a type: the object that a failed request is answered with.
bool is_error(Value root) {
  return root["message"].is_string() && (!root["type"] || root["type"].equals("error"));
}

enum class Open : std::uint8_t { none, text, thinking, plan, call };

class Reader final : public StreamReader {
 public:
  void read(const Frame& frame, std::vector<Event>& out) override {
    if (over_) return;
    const std::string_view data = trim(frame.data);
    if (frame.comment || data.empty()) {
      if (begun_) out.emplace_back(Ping{});
      return;
    }
    if (data == "[DONE]") return;  // the end has been told already
    const auto root = doc_.parse(data);
    if (!root || !root->is_object()) return failed(broken("a stream event that is no JSON object"), out);
    out_ = &out;
    const Value type = (*root)["type"];
    for (const Row& row : rows) {
      if (type.equals(row.type)) return (this->*row.step)(*root);
    }
    if (is_error(*root)) return failed(read_error(0, data), out);
    if (begun_) {
      out.emplace_back(OpaqueEvent{.origin = self, .type = type.text(), .raw = std::string(data)});
    }
  }

  void end(std::vector<Event>& out) override {
    if (!over_) failed(broken("the stream ended without message-end"), out);
  }

  Sight observe(const Frame& frame) override {
    Sight sight;
    if (over_ || frame.comment) return sight;
    const std::string_view data = trim(frame.data);
    if (data.empty() || data == "[DONE]") return sight;
    // The name alone tells what most frames are; recordings without names are read.
    if (is_content(frame.event)) {
      sight.content = true;
      return sight;
    }
    const auto root = doc_.parse(data);
    if (!root) return sight;
    std::string scratch;
    const std::string_view type = (*root)["type"].view(scratch);
    if (is_content(type)) {
      sight.content = true;
    } else if (type == "message-end") {
      const Value delta = (*root)["delta"];
      if (Usage usage = read_usage(delta["usage"]); usage.known()) sight.usage = std::move(usage);
      sight.error = error_of_end(delta);
      sight.terminal = complete_ = !sight.error;
      over_ = true;
    } else if (is_error(*root)) {
      sight.error = read_error(0, data);
      over_ = true;
    }
    return sight;
  }

  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  struct Row {
    std::string_view type;
    void (Reader::*step)(Value);
  };
  static constexpr std::string_view content_events[] = {"content-delta", "tool-plan-delta", "tool-call-start",
                                                        "tool-call-delta"};
  static const std::array<Row, 11> rows;

  static bool is_content(std::string_view type) {
    return std::ranges::find(content_events, type) != std::end(content_events);
  }

  void failed(Error error, std::vector<Event>& out) {
    over_ = true;
    out.emplace_back(Failed{std::move(error)});
  }
  void failed(std::string detail) { failed(broken(std::move(detail)), *out_); }

  // False, and the stream has failed: nothing can stand in front of the message.
  bool begun() {
    if (!begun_) failed("an event before message-start");
    return begun_;
  }

  void on_message_start(Value root) {
    if (begun_) return failed("a second message in one stream");
    begun_ = true;
    Begin begin{.reply = {.origin = self, .id = root["id"].text(), .model = root["model"].text()}};
    spare(begin.reply.extras, root, {"id", "type", "model", "delta"});
    spare(message_extras_, root["delta"]["message"], {"role", "content", "tool_plan", "tool_calls", "citations"});
    out_->emplace_back(std::move(begin));
  }

  // --- blocks -------------------------------------------------------------------------------------------------------

  void open(Open kind, Part part) {
    close();
    open_ = kind;
    if (kind == Open::text) texts_.emplace_back(content_, next_);
    out_->emplace_back(BlockStart{.block = next_, .part = std::move(part)});
  }

  void close(std::optional<Seal> seal = {}) {
    if (open_ == Open::none) return;
    out_->emplace_back(BlockStop{.block = next_, .seal = seal ? std::move(seal) : std::exchange(seal_, {})});
    seal_.reset();
    open_ = Open::none;
    ++next_;
  }

  void grow(std::string text, std::optional<RawJson> logprobs = {}, Extras extras = {}) {
    if (text.empty() && !logprobs && extras.empty()) return;
    out_->emplace_back(
        Delta{.block = next_, .text = std::move(text), .logprobs = std::move(logprobs), .extras = std::move(extras)});
  }

  void on_content_start(Value root) {
    if (!begun()) return;
    const Value content = root["delta"]["message"]["content"];
    if (!content.is_object()) return failed("a block without content");
    content_ = root["index"].integer().value_or(content_ + 1);
    Part part = read_content_part(content);
    std::string first;
    if (auto* text = part.as<Text>()) {
      first = std::exchange(text->text, {});
      open(Open::text, std::move(part));
    } else if (auto* reasoning = part.as<Reasoning>()) {
      first = std::exchange(reasoning->text, {});
      open(Open::thinking, std::move(part));
    } else {
      // A kind that nobody knows: its opening is all that is known of it.
      close();
      out_->emplace_back(BlockStart{.block = next_, .part = std::move(part)});
      out_->emplace_back(BlockStop{.block = next_++});
      return;
    }
    grow(std::move(first));
  }

  void on_content_delta(Value root) {
    if (!begun()) return;
    const auto [index, delta, logprobs] = root.pick("index", "delta", "logprobs");
    const Value content = delta["message"]["content"];
    const auto [text, thinking] = content.pick("text", "thinking");
    const bool thinks = thinking.is_string() && !text.is_string();
    const Open kind = thinks ? Open::thinking : Open::text;
    if (open_ != kind) {
      if (open_ == Open::text || open_ == Open::thinking) return failed("a delta of another kind than its block");
      content_ = index.integer().value_or(content_ + 1);
      open(kind, thinks ? Part{.body = Reasoning{}} : Part{});
    } else if (const auto at = index.integer(); at && *at != content_) {
      return failed("a delta for content " + std::to_string(*at) + " while " + std::to_string(content_) + " is open");
    }
    Extras extras;
    if (root.size() > 3) spare(extras, root, {"type", "index", "delta", "logprobs"});
    std::optional<RawJson> probabilities;
    if (logprobs.is_object()) probabilities = json::compact(logprobs.raw());
    grow((thinks ? thinking : text).text(), std::move(probabilities), std::move(extras));
  }

  void on_content_end(Value root) {
    if (!begun()) return;
    if (const std::string text = root["signature"].text(); !text.empty()) seal_ = read_seal(text, self);
    if (open_ == Open::thinking) close();  // a text waits for citations
  }

  void on_plan(Value root) {
    if (!begun()) return;
    if (open_ != Open::plan) {
      Part part;
      remember(part.extras, self, plan_memory);
      open(Open::plan, std::move(part));
    }
    grow(root["delta"]["message"]["tool_plan"].text());
  }

  void on_call_start(Value root) {
    if (!begun()) return;
    Part part = read_tool_call(root["delta"]["message"]["tool_calls"]);
    std::string first = std::exchange(part.as<ToolCall>()->arguments, {});
    call_ = root["index"].integer().value_or(call_ + 1);
    open(Open::call, std::move(part));
    grow(std::move(first));
  }

  void on_call_delta(Value root) {
    if (!begun()) return;
    if (open_ != Open::call) return failed("arguments outside of a call");
    if (const auto at = root["index"].integer(); at && *at != call_) {
      return failed("arguments for call " + std::to_string(*at) + " while " + std::to_string(call_) + " is open");
    }
    grow(root["delta"]["message"]["tool_calls"]["function"]["arguments"].text());
  }

  void on_call_end(Value root) {
    if (!begun() || open_ != Open::call) return;
    std::optional<Seal> seal;
    if (const std::string text = root["signature"].text(); !text.empty()) seal = read_seal(text, self);
    close(std::move(seal));
  }

  void on_citation(Value root) {
    if (!begun()) return;
    const Value said = root["delta"]["message"]["citations"];
    for (std::size_t i = 0; i < (said.is_array() ? said.size() : 1); ++i) cite(said.is_array() ? said.at(i) : said);
  }

  void cite(Value citation) {
    const auto [index, type] = citation.pick("content_index", "type");
    const bool plan = type.equals("PLAN");
    const bool here = open_ == (plan ? Open::plan : Open::text) && index.integer().value_or(content_) == content_ &&
                      !type.equals("THINKING_CONTENT");
    const auto over = std::ranges::find(texts_, index.integer().value_or(content_), &Passage::first);
    if (here) {
      out_->emplace_back(CitationSeen{0, next_, read_citation(citation)});
    } else if (!plan && !type.equals("THINKING_CONTENT") && over != texts_.end()) {
      late_.push_back({0, over->second, read_citation(citation)});  // when nothing is open
    } else {
      citations_ += (citations_.empty() ? "[" : ",") + json::compact(citation.raw());
    }
  }

  void on_nothing(Value) {}

  void on_message_end(Value root) {
    if (!begun()) return;
    const Value delta = root["delta"];
    if (Usage usage = read_usage(delta["usage"]); usage.known() || !usage.raw.empty()) {
      out_->emplace_back(UsageSeen{std::move(usage)});
    }
    if (auto error = error_of_end(delta)) return failed(*std::move(error), *out_);
    close();
    for (CitationSeen& late : late_) out_->emplace_back(std::move(late));
    over_ = complete_ = true;
    if (!citations_.empty()) message_extras_.add(self, "citations", citations_ + ']');
    out_->emplace_back(
        Finish{.stop = read_stop(delta["finish_reason"].text()), .message_extras = std::move(message_extras_)});
    End end;
    spare(end.extras, delta, {"finish_reason", "usage", "error"});
    spare(end.extras, root, {"id", "type", "delta"});
    out_->emplace_back(std::move(end));
  }

  json::Document doc_;
  std::vector<Event>* out_ = nullptr;  // of the frame that is being read
  bool begun_ = false, over_ = false, complete_ = false;
  Extras message_extras_;
  using Passage = std::pair<std::int64_t, std::int64_t>;
  std::vector<Passage> texts_;      // as the upstream counts, and as events do
  std::vector<CitationSeen> late_;  // of those that are over
  std::string citations_;           // of what is no text here

  Open open_ = Open::none;
  std::int64_t next_ = 0;      // the open or next block, as events count
  std::int64_t content_ = -1;  // the open content and call, as the upstream counts
  std::int64_t call_ = -1;
  std::optional<Seal> seal_;  // of a text that has ended but is still open
};

constexpr std::array<Reader::Row, 11> Reader::rows = {{
    {"content-delta", &Reader::on_content_delta},  // by far the most frequent
    {"tool-call-delta", &Reader::on_call_delta},
    {"tool-plan-delta", &Reader::on_plan},
    {"message-start", &Reader::on_message_start},
    {"content-start", &Reader::on_content_start},
    {"content-end", &Reader::on_content_end},
    {"tool-call-start", &Reader::on_call_start},
    {"tool-call-end", &Reader::on_call_end},
    {"citation-start", &Reader::on_citation},
    {"citation-end", &Reader::on_nothing},
    {"message-end", &Reader::on_message_end},
}};

}  // namespace

std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace sluice::cohere
