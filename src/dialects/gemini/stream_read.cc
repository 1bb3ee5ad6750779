// Chunks of a stream -> events. Every chunk is a whole answer whose parts are deltas: texts of a kind grow one block, a
// call is a block of its own, a proof closes the block it stands on. Terminal condition: every candidate has its
// finishReason, or the prompt was blocked. SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "base/text.h"
#include "dialects/gemini/answer.h"
#include "dialects/gemini/codec.h"
#include "dialects/gemini/names.h"
#include "dialects/gemini/partial_args.h"
#include "dialects/gemini/parts.h"
#include "dialects/seal_envelope.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

Error broken(std::string detail) {
  return {.fault = Fault::upstream_broken,
          .message = "The upstream's stream broke before it was complete.",
          .detail = std::move(detail)};
}

struct Progress {
  enum class Open : std::uint8_t { nothing, text, reasoning, call };
  std::int64_t index = 0;
  std::int64_t blocks = 0;
  Open open = Open::nothing;
  bool calls = false;
  bool has_reason = false;
  Stop stop;
  std::optional<Seal> seal;                                 // of the open block, which nothing but its end can follow
  std::vector<std::pair<std::int64_t, std::string>> texts;  // of the text blocks, by number: citations point into them
  std::vector<std::pair<std::int64_t, Citation>> cited;     // by block
  RawJson grounding, recitation;
  Extras extras, message_extras;
  std::optional<RawJson> logprobs;         // waiting for a text
  std::unique_ptr<PartialArgs> arguments;  // of a call that comes in pieces
};

class Reader final : public StreamReader {
 public:
  void read(const Frame& frame, std::vector<Event>& out) override {
    if (over_ || frame.comment) return;
    const auto parsed = doc_.parse(frame.data);
    if (!parsed) return failed(broken("a chunk that is no JSON: " + parsed.error()->message), out);
    const json::Value root = parsed->is_array() && parsed->size() == 1 ? parsed->at(0) : *parsed;
    if (!root.is_object()) return failed(broken("a chunk that is no object"), out);
    chunk(root, out);
  }

  void end(std::vector<Event>& out) override {
    if (over_) return;
    if (!complete()) return failed(broken("the stream ended without a finishReason"), out);
    for (Progress& p : choices_) {
      close(p, out, true);
      cite(p, true, out);
      p.stop.kind = blocked_ ? p.stop.kind : stop_kind(p.stop.raw, p.calls);
      Finish finish{.choice = p.index, .stop = std::move(p.stop)};
      finish.extras = std::move(p.extras);
      finish.message_extras = std::move(p.message_extras);
      out.emplace_back(std::move(finish));
    }
    out.emplace_back(End{std::move(late_)});
    over_ = true;
  }

  Sight observe(const Frame& frame) override {
    Sight sight;
    if (over_ || frame.comment) return sight;
    const auto parsed = doc_.parse(frame.data);
    const json::Value root = parsed && parsed->is_array() && parsed->size() == 1 ? parsed->at(0)
                             : parsed                                            ? *parsed
                                                                                 : json::Value();
    if (!root.is_object()) {
      sight.error = broken("a chunk that is no JSON object");
      over_ = true;
      return sight;
    }
    for (const auto [key, value] : root.members()) {
      if (key == "candidates") {
        for (const json::Value candidate : value.elements()) watch(candidate, sight);
      } else if (is_name(key, "usageMetadata") && value.is_object()) {
        Usage usage = read_usage(value, false);
        if (usage.known()) sight.usage = std::move(usage);
      } else if (is_name(key, "promptFeedback") && field(value, "blockReason")) {
        blocked_ = true;
      } else if (key == "error" && value.is_object()) {
        sight.error = read_error_object(value, 0);
        over_ = true;
        return sight;
      }
    }
    sight.terminal = complete();
    // The last word about tokens goes with the vendor's own object.
    if (sight.terminal && sight.usage) sight.usage->raw = std::string(field(root, "usageMetadata").raw());
    sight.only_usage = sight.usage && !blocked_ && !root["candidates"];
    return sight;
  }

  [[nodiscard]] bool complete() const override {
    return blocked_ || (!choices_.empty() && std::ranges::all_of(choices_, &Progress::has_reason));
  }

 private:
  Progress& progress(json::Value candidate, std::int64_t position) {
    const json::Value said = candidate["index"];
    const std::int64_t index = said ? said.integer().value_or(position) : position;
    for (Progress& p : choices_) {
      if (p.index == index) return p;
    }
    choices_.push_back({.index = index});
    choices_.back().stop.origin = self;
    return choices_.back();
  }

  void watch(json::Value candidate, Sight& sight) {
    Progress& p = progress(candidate, 0);
    if (field(candidate, "finishReason")) p.has_reason = true;
    if (sight.content) return;
    for (const json::Value part : candidate["content"]["parts"].elements()) {
      const json::Value text = part["text"];
      if (text ? text.raw().size() > 2 : part.size() > 0) sight.content = true;
    }
  }

  void failed(Error error, std::vector<Event>& out) {
    over_ = true;
    out.emplace_back(Failed{std::move(error)});
  }

  void chunk(json::Value root, std::vector<Event>& out) {
    json::Value candidates, usage, feedback;
    for (const auto [key, value] : root.members()) {
      if (value.is_null()) continue;
      if (key == "candidates") {
        candidates = value;
      } else if (is_name(key, "usageMetadata") && value.is_object()) {
        usage = value;
      } else if (is_name(key, "promptFeedback")) {
        feedback = value;
      } else if (key == "error" && value.is_object()) {
        return failed(read_error_object(value, 0), out);
      }
    }
    begin(root, usage, out);
    if (feedback && field(feedback, "blockReason") && candidates.size() == 0) {
      blocked_ = true;
      if (choices_.empty()) choices_.push_back({});
      choices_.front().stop = blocked_stop(feedback);
    } else if (feedback) {
      late("promptFeedback", feedback);
    }
    std::int64_t position = 0;
    for (const json::Value candidate : candidates.elements()) {
      if (!candidate.is_object() || !read_candidate(candidate, progress(candidate, position++), out)) {
        return failed(broken("a candidate that cannot be read"), out);
      }
    }
    if (usage) use(usage, out);
  }

  void begin(json::Value root, json::Value usage, std::vector<Event>& out) {
    Reply head{.origin = self};
    for (const auto [key, value] : root.members()) {
      if (value.is_null() || key == "candidates" || is_name(key, "usageMetadata") || is_name(key, "promptFeedback")) {
        continue;
      }
      if (begun_) {
        if (!is_name(key, "responseId") && !is_name(key, "modelVersion") && !is_name(key, "createTime"))
          late(key, value);
      } else if (is_name(key, "responseId")) {
        head.id = value.text();
      } else if (is_name(key, "modelVersion")) {
        head.model = value.text();
      } else {
        if (is_name(key, "createTime")) head.created = read_time(value.text());
        head.extras.add(self, to_camel(key), value.raw());
        known_.push_back(to_camel(key));
      }
    }
    if (begun_) return;
    begun_ = true;
    if (const json::Value tier = field(usage, "serviceTier"); tier.is_string()) head.service_tier = lower(tier.text());
    out.emplace_back(Begin{std::move(head)});
  }

  // A member of the head that came later than the first chunk; the first of a name counts.
  void late(std::string_view key, json::Value value) {
    std::string name = to_camel(key);
    if (std::ranges::find(known_, name) != known_.end()) return;
    late_.add(self, name, value.raw());
    known_.push_back(std::move(name));
  }

  void use(json::Value value, std::vector<Event>& out) {
    // The vendor's own object goes with the last word about tokens only: a chunk is a few bytes, the object is not.
    Usage usage = read_usage(value, complete());
    if (!usage.known()) {
      // An early chunk may hold only the kind of traffic; a late one must not wipe out the numbers.
      if (usage_known_ || !complete()) return;
    }
    usage_known_ = usage_known_ || usage.known();
    out.emplace_back(UsageSeen{std::move(usage)});
  }

  bool read_candidate(json::Value candidate, Progress& p, std::vector<Event>& out) {
    json::Value parts;
    for (const auto [key, value] : candidate.members()) {
      if (value.is_null() || key == "index") continue;
      if (key == "content") {
        for (const auto [inner, member] : value.members()) {
          if (inner == "parts") {
            parts = member;
          } else if (inner != "role" && !member.is_null()) {
            keep(p.message_extras, inner, member);
          }
        }
      } else if (is_name(key, "finishReason")) {
        p.has_reason = value.is_string();
        p.stop.raw = value.text();
      } else if (is_name(key, "finishMessage") && value.is_string()) {
        p.stop.detail = std::string(value.raw());
      } else if (is_name(key, "logprobsResult")) {
        p.logprobs = read_logprobs(value);
      } else if (is_name(key, "groundingMetadata") && value.size() == 0 && !p.grounding.empty()) {
        // an empty one does not take back what was said
      } else {
        if (is_name(key, "groundingMetadata")) p.grounding = std::string(value.raw());
        if (is_name(key, "citationMetadata")) p.recitation = std::string(value.raw());
        keep(p.extras, key, value);
      }
    }
    if (parts.is_object()) return read_part_of(parts, p, out);
    for (const json::Value part : parts.elements()) {
      if (!read_part_of(part, p, out)) return false;
    }
    return true;
  }

  // Each chunk repeats or completes what an earlier one said: the last one counts.
  static void keep(Extras& extras, std::string_view key, json::Value value) {
    for (Extra& x : extras.members) {
      if (is_name(key, x.key)) {
        x.raw = std::string(value.raw());
        return;
      }
    }
    extras.add(self, to_camel(key), value.raw());
  }

  bool read_part_of(json::Value part, Progress& p, std::vector<Event>& out) {
    // Most parts are a piece of text and nothing else.
    json::Value text, signature;
    bool thought = false, plain = part.is_object();
    for (const auto [key, value] : part.members()) {
      if (key == "text" && value.is_string()) {
        text = value;
      } else if (key == "thought" && value.boolean()) {
        thought = *value.boolean();
      } else if (is_name(key, "thoughtSignature")) {
        signature = value;
      } else {
        plain = false;
      }
    }
    if (plain && (text || signature)) {
      words(text, thought, signature, p, out);
      return true;
    }
    const json::Value call = field(part, "functionCall");
    if (call.is_object() && (p.arguments || in_pieces(call))) return piece_of_call(call, signature, p, out);
    auto whole = read_part(part);
    if (!whole) return false;
    close(p, out);
    whole_part(*std::move(whole), p, out);
    return true;
  }

  void words(json::Value text, bool thought, json::Value signature, Progress& p, std::vector<Event>& out) {
    using Open = Progress::Open;
    const Open kind = thought ? Open::reasoning : Open::text;
    const bool empty = !text || text.raw().size() == 2;
    const bool sealed = signature.is_string() && signature.raw().size() > 2;
    if (empty && !sealed && !p.logprobs) return;
    if (empty && !sealed && (p.open != kind || p.seal)) return;
    // A proof belongs to the words it came with, or, alone, to the words before it.
    if (p.open != kind || p.seal || (sealed && !empty)) {
      close(p, out);
      open(p, kind, out);
    }
    if (!empty || p.logprobs) {
      Delta delta{.choice = p.index, .block = p.blocks - 1, .text = text.text()};
      delta.logprobs = std::exchange(p.logprobs, std::nullopt);
      if (!thought) grow_cited(p.texts.back().second, delta.text);
      out.emplace_back(std::move(delta));
    }
    if (sealed) p.seal = read_seal(signature.text(), self);
  }

  void open(Progress& p, Progress::Open kind, std::vector<Event>& out) {
    BlockStart start{.choice = p.index, .block = p.blocks++};
    if (kind == Progress::Open::reasoning) {
      start.part.body = Reasoning{};
    } else {
      start.part.body = Text{};
      p.texts.emplace_back(start.block, "");
    }
    p.open = kind;
    out.emplace_back(std::move(start));
  }

  // A block stays open until something else begins, for its sources may be named in a later chunk.
  void close(Progress& p, std::vector<Event>& out, bool last = false) {
    if (p.open == Progress::Open::nothing) return;
    if (p.open == Progress::Open::text) cite(p, last, out);
    if (p.open == Progress::Open::call) {
      out.emplace_back(Delta{.choice = p.index, .block = p.blocks - 1, .text = p.arguments->text()});
      p.arguments.reset();
    }
    out.emplace_back(BlockStop{.choice = p.index, .block = p.blocks - 1, .seal = std::exchange(p.seal, std::nullopt)});
    p.open = Progress::Open::nothing;
  }

  // The sources of the text that is open; of all texts, when none is.
  static void cite(Progress& p, bool last, std::vector<Event>& out) {
    if (p.grounding.empty() && p.recitation.empty()) return;
    const bool open = p.open == Progress::Open::text;
    auto told = p.cited;
    std::vector<Passage> passages;
    for (const auto& [block, text] : p.texts) passages.push_back({text, 0});
    json::Document grounding, recitation;
    static_cast<void>(grounding.parse(p.grounding));
    static_cast<void>(recitation.parse(p.recitation));
    for (Found& found : read_citations(grounding.root(), recitation.root(), passages)) {
      // What has no place waits for the last text.
      if (open && (found.passage + 1 != passages.size() || (!found.citation.start && !last))) continue;
      auto cited = std::pair(p.texts[found.passage].first, std::move(found.citation));
      if (const auto before = std::ranges::find(told, cited); before != told.end()) {
        told.erase(before);  // some sources stand there twice
        continue;
      }
      out.emplace_back(CitationSeen{p.index, cited.first, cited.second});
      p.cited.push_back(std::move(cited));
    }
  }

  static bool in_pieces(json::Value call) {
    return field(call, "partialArgs") || field(call, "willContinue").boolean().value_or(false);
  }

  bool piece_of_call(json::Value call, json::Value signature, Progress& p, std::vector<Event>& out) {
    const std::string name = call["name"].text();
    if (!p.arguments || !name.empty()) {
      close(p, out);
      ToolCall start{.id = call["id"].text(), .name = name};
      start.id_made_up = start.id.empty();
      p.arguments = std::make_unique<PartialArgs>();
      p.open = Progress::Open::call;
      p.calls = true;
      out.emplace_back(BlockStart{.choice = p.index, .block = p.blocks++, .part = {.body = std::move(start)}});
    }
    if (signature.is_string()) p.seal = read_seal(signature.text(), self);
    if (!p.arguments->add(field(call, "partialArgs"))) return false;
    if (const json::Value args = call["args"]; args.is_object()) p.arguments->add_whole(args);
    if (!field(call, "willContinue").boolean().value_or(false)) close(p, out);
    return true;
  }

  void whole_part(Part part, Progress& p, std::vector<Event>& out) {
    const std::int64_t block = p.blocks++;
    std::optional<Seal> seal = std::exchange(part.seal, std::nullopt);
    std::string grows;
    if (auto* call = part.as<ToolCall>()) {
      p.calls = true;
      grows = std::exchange(call->arguments, {});
    } else if (auto* media = part.as<Media>()) {
      grows = std::exchange(media->data, {});
    } else if (auto* text = part.as<Text>()) {
      grows = std::exchange(text->text, {});
      p.texts.emplace_back(block, grows);
    } else if (auto* reasoning = part.as<Reasoning>()) {
      grows = std::exchange(reasoning->text, {});
    }
    out.emplace_back(BlockStart{.choice = p.index, .block = block, .part = std::move(part)});
    if (!grows.empty()) out.emplace_back(Delta{.choice = p.index, .block = block, .text = std::move(grows)});
    out.emplace_back(BlockStop{.choice = p.index, .block = block, .seal = std::move(seal)});
  }

  json::Document doc_;
  std::vector<Progress> choices_;
  bool begun_ = false, over_ = false, blocked_ = false, usage_known_ = false;
  std::vector<std::string> known_;  // members of the head that were carried
  Extras late_;
};

}  // namespace

std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace sluice::gemini
