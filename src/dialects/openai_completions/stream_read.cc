// A stream of texts into events. The end of a choice is held back until the end of all: usage comes behind it.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/sight.h"
#include "dialects/openai_chat/stop.h"
#include "dialects/openai_chat/usage.h"
#include "dialects/openai_completions/openai_completions.h"

namespace sluice::openai_completions {
namespace {

using json::Value;

struct Spoken {
  bool open = false;
  std::optional<std::string> finish;
  Extras extras;
};

class Reader final : public StreamReader {
 public:
  void read(const Frame& frame, std::vector<Event>& out) override {
    if (over_) return;
    const std::string_view data = trim(frame.data);
    if (frame.comment || data.empty()) {
      if (begun_) out.emplace_back(Ping{});
      return;
    }
    if (data == "[DONE]") return finish(out);
    const auto root = doc_.parse(data);
    if (!root || !root->is_object()) return broken("a chunk that is no JSON object", out);
    chunk(*root, frame.event == "error", data, out);
  }

  void end(std::vector<Event>& out) override {
    if (over_) return;
    const auto ended = [](const auto& one) { return one.second.finish.has_value(); };
    if (choices_.empty() || !std::ranges::all_of(choices_, ended)) {
      return broken("the stream ended without finish_reason and [DONE]", out);
    }
    finish(out);
  }

  Sight observe(const Frame& frame) override { return watch_.observe(frame); }
  [[nodiscard]] bool complete() const override { return watch_.complete(); }

 private:
  void fail_with(Error error, std::vector<Event>& out) {
    over_ = true;
    out.emplace_back(Failed{std::move(error)});
  }
  void broken(std::string_view detail, std::vector<Event>& out) {
    fail_with({.fault = Fault::upstream_broken,
               .message = "The upstream's answer broke off before it was complete.",
               .detail = std::string(detail)},
              out);
  }

  void chunk(Value root, bool named_error, std::string_view data, std::vector<Event>& out) {
    if (auto error = openai_chat::error_inside(root, 0)) return fail_with(*std::move(error), out);
    if (named_error) return fail_with(openai_chat::read_error(0, data), out);
    if (!std::exchange(begun_, true)) begin(root, out);
    std::int64_t place = 0;
    for (const Value choice : root["choices"].elements()) read_choice(choice, place++, out);
    const Value usage = openai_chat::find_usage(root);
    if (!usage || usage.raw() == usage_) return;
    usage_ = std::string(usage.raw());
    out.emplace_back(UsageSeen{openai_chat::read_usage(usage)});
  }

  static void begin(Value root, std::vector<Event>& out) {
    Begin first;
    first.reply = {
        .origin = self, .id = root["id"].text(), .model = root["model"].text(), .created = root["created"].integer()};
    for (const auto [key, value] : root.members()) {
      const bool known =
          key == "id" || key == "object" || key == "created" || key == "model" || key == "choices" || key == "usage";
      if (!known) first.reply.extras.add(self, key, value.raw());
    }
    out.emplace_back(std::move(first));
  }

  void read_choice(Value value, std::int64_t place, std::vector<Event>& out) {
    const std::int64_t index = value["index"].integer().value_or(place);
    Spoken& spoken = choices_[index];
    if (!std::exchange(spoken.open, true)) {
      out.emplace_back(BlockStart{.choice = index, .part = {.body = Text{}}});
    }
    Delta delta{.choice = index, .text = value["text"].text()};
    if (value["logprobs"].is_object()) delta.logprobs = json::compact(value["logprobs"].raw());
    if (!delta.text.empty() || delta.logprobs) out.emplace_back(std::move(delta));
    if (value["finish_reason"].is_string() && !value["finish_reason"].equals(""))
      spoken.finish = value["finish_reason"].text();
    for (const auto [key, inner] : value.members()) {
      if (key == "index" || key == "text" || key == "finish_reason" || key == "logprobs" || inner.is_null()) continue;
      std::erase_if(spoken.extras.members, [name = key](const Extra& before) { return before.key == name; });
      spoken.extras.add(self, key, inner.raw());
    }
  }

  void finish(std::vector<Event>& out) {
    over_ = true;
    if (!begun_) out.emplace_back(Begin{.reply = {.origin = self}});
    for (auto& [index, spoken] : choices_) {
      out.emplace_back(BlockStop{.choice = index});
      Stop stop = openai_chat::read_stop(spoken.finish.value_or(""), false, false);
      stop.origin = self;
      // [DONE] without a reason: the vendor says that it is over.
      if (stop.raw.empty()) stop.kind = StopKind::end;
      out.emplace_back(Finish{.choice = index, .stop = std::move(stop), .extras = std::move(spoken.extras)});
    }
    out.emplace_back(End{});
  }

  json::Document doc_;
  std::map<std::int64_t, Spoken> choices_;
  std::string usage_;  // as last told
  openai_chat::Watch watch_;
  bool begun_ = false, over_ = false;
};

}  // namespace

std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace sluice::openai_completions
