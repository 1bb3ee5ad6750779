// A stream of chunks into events. Finish is held back until the end: vendors send content, a second reason or usage
// behind the first finish_reason. SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "dialects/openai_chat/blocks.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/sight.h"
#include "dialects/openai_chat/stop.h"
#include "dialects/openai_chat/usage.h"
#include "dialects/spare.h"

namespace sluice::openai_chat {
namespace {

using json::Value;

// The last word of each member wins.
void replace(Extras& extras, std::string_view key, std::string_view raw) {
  for (Extra& extra : extras.members) {
    if (extra.key != key) continue;
    extra.raw = std::string(raw);
    return;
  }
  extras.add(self, key, raw);
}

struct ChoiceState {
  explicit ChoiceState(std::int64_t index) : blocks(index) {}
  Blocks blocks;
  std::optional<std::string> finish;
  Extras extras, message_extras;
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
    if (data == "[DONE]") {
      done_ = true;
      finish(out);
      return;
    }
    const auto root = doc_.parse(data);
    if (!root || !root->is_object()) {
      broken("a chunk that is no JSON object", out);
      return;
    }
    chunk(*root, frame.event == "error", out);
  }

  void end(std::vector<Event>& out) override {
    if (over_) return;
    const bool finished = std::ranges::any_of(choices_, [](const auto& one) { return one.second.finish.has_value(); });
    const bool open = std::ranges::any_of(choices_, [](const auto& one) { return !one.second.finish.has_value(); });
    if (!finished || open) {
      broken("the stream ended without finish_reason and [DONE]", out);
      return;
    }
    finish(out);
  }

  Sight observe(const Frame& frame) override { return watch_.observe(frame); }
  [[nodiscard]] bool complete() const override { return watch_.complete(); }

 private:
  void broken(std::string detail, std::vector<Event>& out) {
    fail(Error{.fault = Fault::upstream_broken,
               .message = "The upstream's answer broke off before it was complete.",
               .detail = std::move(detail)},
         out);
  }

  void fail(Error error, std::vector<Event>& out) {
    over_ = true;
    out.emplace_back(Failed{std::move(error)});
  }

  void chunk(Value root, bool named_error, std::vector<Event>& out) {
    std::optional<Error> error = error_inside(root, 0);
    if (!error && named_error) error = read_error(0, root.raw());
    if (error) {
      if (begun_) usage(root, out);
      return fail(*std::move(error), out);
    }
    head(root, out);
    for (const Value one : root["choices"].elements()) choice(one, out);
    if (begun_) usage(root, out);
  }

  // Azure's first chunk says nothing about the answer: it begins with the first choice.
  void head(Value root, std::vector<Event>& out) {
    if (!begun_ && begin_.reply.id.empty()) begin_.reply.id = root["id"].text();
    if (!begun_ && begin_.reply.model.empty()) begin_.reply.model = root["model"].text();
    if (const auto created = root["created"].integer(); !begun_ && created && *created > 0)
      begin_.reply.created = created;
    if (!begun_ || (!begin_.reply.service_tier && root["choices"].size() == 0)) {
      if (const Value tier = root["service_tier"]; tier.is_string())
        (begun_ ? tier_ : begin_.reply.service_tier) = tier.text();
    }
    for (const auto [key, value] : root.members()) {
      constexpr std::string_view known[] = {"id",    "object", "created",      "model",      "choices",
                                            "usage", "error",  "service_tier", "obfuscation"};
      if (value.is_null() || std::ranges::find(known, key) != std::end(known)) continue;
      if (!begun_) {
        replace(begin_.reply.extras, key, value.raw());
      } else if (std::ranges::find(begin_.reply.extras.members, key, &Extra::key) ==
                 begin_.reply.extras.members.end()) {
        replace(late_, key, value.raw());
      }
    }
    if (!begun_ && (root["choices"].size() > 0 || root["usage"].is_object())) begin(out);
  }

  void begin(std::vector<Event>& out) {
    begun_ = true;
    begin_.reply.origin = self;
    out.emplace_back(begin_);
  }

  void choice(Value value, std::vector<Event>& out) {
    const std::int64_t index = value["index"].integer().value_or(0);
    ChoiceState& state = choices_.try_emplace(index, index).first->second;
    std::optional<RawJson> logprobs;
    for (const auto [key, inner] : value.members()) {
      if (key == "index" || key == "delta" || key == "message" || key == "usage" || inner.is_null()) continue;
      if (key == "finish_reason") {
        if (inner.is_string() && inner.size() == 0 && !inner.equals("")) state.finish = inner.text();
      } else if (key == "logprobs") {
        const bool some = inner["content"].size() > 0 || inner["refusal"].size() > 0;
        if (some) logprobs = json::compact(inner.raw());
      } else {
        replace(state.extras, key, inner.raw());
      }
    }
    delta(value["delta"], state, std::move(logprobs), out);
  }

  void delta(Value delta, ChoiceState& state, std::optional<RawJson> logprobs, std::vector<Event>& out) {
    std::string scratch;
    Value plain = delta["reasoning_content"];
    if (!plain.is_string()) plain = delta["reasoning"];
    if (!plain.is_string()) plain = delta["thinking"];
    const Value details = delta["reasoning_details"];
    bool told = false;
    for (const Value entry : details.elements()) {
      told |= !entry["text"].equals("") && (entry["text"].is_string() || entry["summary"].is_string());
      state.blocks.detail(entry, !plain.is_string() || plain.equals(""), out);
    }
    if (!told && plain.is_string()) state.blocks.reasoning(plain.view(scratch), out);
    for (const auto [key, value] : delta.members()) {
      if (value.is_null() || key == "role" || key == "reasoning_content" || key == "reasoning" || key == "thinking" ||
          key == "reasoning_details") {
        continue;
      }
      if (key == "content") {
        content(value, state, std::exchange(logprobs, {}), out);
      } else if (key == "refusal") {
        state.blocks.refusal(value.view(scratch), out, std::exchange(logprobs, {}));
      } else if (key == "tool_calls") {
        for (const Value call : value.elements()) state.blocks.call(call, out);
      } else if (key == "function_call") {
        state.blocks.legacy_call(value, out);
      } else if (key == "audio") {
        state.blocks.audio(value, out);
      } else if (key == "images") {
        for (const Value image : value.elements()) state.blocks.image(image, out);
      } else if (key == "annotations") {
        bool placed = value.size() > 0;
        for (const Value one : value.elements()) placed &= state.blocks.citation(one, out);
        if (!placed && value.size() > 0) replace(state.message_extras, key, value.raw());
      } else {
        replace(state.message_extras, key, value.raw());
      }
    }
  }

  // A string; Mistral's list of texts and thoughts.
  void content(Value value, ChoiceState& state, std::optional<RawJson> logprobs, std::vector<Event>& out) {
    std::string scratch;
    if (value.is_string()) return state.blocks.text(value.view(scratch), out, std::move(logprobs));
    for (const Value part : value.elements()) {
      if (part["type"].equals("text")) {
        state.blocks.text(part["text"].view(scratch), out);
      } else if (part["type"].equals("thinking")) {
        if (part["thinking"].is_string()) state.blocks.reasoning(part["thinking"].view(scratch), out);
        for (const Value piece : part["thinking"].elements()) state.blocks.reasoning(piece["text"].view(scratch), out);
      } else {
        state.blocks.image(part, out);
      }
    }
  }

  void usage(Value root, std::vector<Event>& out) {
    const Value found = find_usage(root);
    if (!found || found.raw() == usage_) return;
    usage_ = std::string(found.raw());
    out.emplace_back(UsageSeen{read_usage(found)});
  }

  void finish(std::vector<Event>& out) {
    over_ = true;
    if (!begun_) begin(out);
    for (auto& [index, state] : choices_) {
      state.blocks.finish(out);
      Stop stop = read_stop(state.finish.value_or(""), state.blocks.calls_seen(), state.blocks.refused());
      // [DONE] without a reason: the vendor says that it is over.
      if (stop.kind == StopKind::unknown && stop.raw.empty()) stop.kind = StopKind::end;
      out.emplace_back(Finish{.choice = index,
                              .stop = std::move(stop),
                              .extras = std::move(state.extras),
                              .message_extras = std::move(state.message_extras)});
    }
    out.emplace_back(End{.extras = std::move(late_), .service_tier = std::move(tier_)});
  }

  json::Document doc_;
  Begin begin_;
  Extras late_;
  std::optional<std::string> tier_;  // that only the last chunk said
  std::map<std::int64_t, ChoiceState> choices_;
  std::string usage_;  // as last told
  Watch watch_;
  bool begun_ = false, done_ = false, over_ = false;
};

}  // namespace

std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace sluice::openai_chat
