// Events -> chunks: server-sent events, or the elements of one JSON array. Texts go out as they come, calls and media
// whole; the reason and the usage stand in the last chunk. SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "dialects/gemini/answer.h"
#include "dialects/gemini/candidate.h"
#include "dialects/gemini/codec.h"
#include "dialects/seal_envelope.h"
#include "model/fold.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

class Writing final : public StreamWriter {
 public:
  explicit Writing(const Question& question)
      : exchange_(question.exchange_id), model_(question.model), array_(question.stream_array) {}

  void write(const Event& event, std::string& out) override {
    if (over_) return;
    std::visit([&](const auto& e) { on(e, out); }, event);
  }

  void keep_alive(std::string& out) override {
    if (over_) return;
    // No comment: Google's own clients read each line as JSON. Nor an event without candidates: their chats then take
    // the whole turn for invalid. An empty line says nothing to anybody.
    out += array_ ? "\n" : "\r\n\r\n";
  }

  [[nodiscard]] std::string_view content_type() const override {
    return array_ ? "application/json" : "text/event-stream";
  }

 private:
  enum class Kind : std::uint8_t { none, text, thought, whole };
  struct Progress {
    std::int64_t index = 0;
    Kind open = Kind::none;
    Kind last = Kind::none;  // of the block before: two of a kind would flow together
    bool last_sealed = false;
    bool hold = false;                                 // the open block goes out as one part
    Part part;                                         // of the open block; its text as far as it is held back
    std::vector<std::pair<std::int64_t, Text>> texts;  // of the blocks that are over, with what they cite
    std::size_t parts = 0;
    std::size_t calls = 0;
    bool malformed = false;
    Finish finish;
    bool finished = false;
  };

  Progress& progress(std::int64_t index) {
    for (Progress& p : choices_) {
      if (p.index == index) return p;
    }
    choices_.push_back({.index = index});
    return choices_.back();
  }

  void on(const Begin& e, std::string&) {
    head_ = e.reply;
    const bool own = head_.origin == self;  // says what its upstream said
    if (own || !head_.model.empty()) model_ = head_.model;
    if (!own && head_.id.empty()) head_.id = exchange_;
  }

  void on(const BlockStart& e, std::string&) {
    Progress& p = progress(e.choice);
    p.part = e.part;
    p.open = e.part.as<Reasoning>()                      ? Kind::thought
             : e.part.as<Text>() || e.part.as<Refusal>() ? Kind::text
                                                         : Kind::whole;
    p.hold = p.open == Kind::whole || (p.open == p.last && !p.last_sealed) ||
             (e.part.extras.origin == self && !e.part.extras.empty());
  }

  void on(const Delta& e, std::string& out) {
    Progress& p = progress(e.choice);
    std::string logprobs;
    if (e.logprobs) logprobs = write_logprobs(*e.logprobs, head_.origin == self);
    if (p.hold) {
      grow(p.part, e.text);
      if (!logprobs.empty()) part_chunk(p, "{\"text\":\"\"}", logprobs, out);
      return;
    }
    if (p.open == Kind::text) remember(p, e.text);
    if (e.text.empty() && logprobs.empty()) return;
    part_.assign("{\"text\":");
    json::append_quoted(part_, e.text);
    part_ += p.open == Kind::thought ? ",\"thought\":true}" : "}";
    part_chunk(p, part_, logprobs, out);
  }

  void on(const CitationSeen& e, std::string&) {
    Progress& p = progress(e.choice);
    auto* text = p.part.as<Text>();
    if (p.open == Kind::none) {
      const auto over = std::ranges::find(p.texts, e.block, &std::pair<std::int64_t, Text>::first);
      text = over == p.texts.end() ? nullptr : &over->second;
    }
    if (text != nullptr) text->citations.push_back(e.citation);
  }

  void on(const BlockStop& e, std::string& out) {
    Progress& p = progress(e.choice);
    if (p.hold) {
      p.part.seal = e.seal;
      std::string part;
      json::Writer w(part);
      PartNames names{exchange_, p.index, p.calls};
      if (p.part.as<ToolCall>() != nullptr) ++p.calls;
      switch (write_part(w, p.part, names)) {
        case Written::yes:
        case Written::restated: part_chunk(p, part, {}, out); break;
        case Written::malformed: p.malformed = true; break;
        case Written::no: break;
      }
    } else if (e.seal) {
      std::string part = "{\"text\":\"\"";
      p.part.seal = e.seal;
      if (p.open == Kind::thought) part = hidden(p.part) ? "{\"thought\":true" : part + ",\"thought\":true";
      part += ",\"thoughtSignature\":";
      json::append_quoted(part, seal_text(*e.seal, self));
      part_chunk(p, part + '}', {}, out);
    }
    if (auto* text = p.part.as<Text>()) p.texts.emplace_back(e.block, std::move(*text));
    p.last = std::exchange(p.open, Kind::none);
    p.last_sealed = e.seal.has_value();
  }

  void on(const UsageSeen& e, std::string&) { merge(usage_, e.usage); }

  void on(const Finish& e, std::string&) {
    Progress& p = progress(e.choice);
    p.finish = e;
    p.finished = true;
  }

  void on(const Ping&, std::string& out) { keep_alive(out); }

  void on(const OpaqueEvent& e, std::string& out) {
    if (e.origin == self && json::valid(e.raw)) send(e.raw, out);
  }

  void on(const Failed& e, std::string& out) {
    send(write_error(e.error), out);
    if (array_) out += "\n]";
    over_ = true;
  }

  // Only now everything is known that the last chunk says.
  void on(const End& e, std::string& out) {
    std::string chunk;
    json::Writer w(chunk);
    w.begin_object();
    const bool blocked = choices_.size() == 1 && choices_[0].parts == 0 && choices_[0].finish.stop.origin == self &&
                         choices_[0].finish.stop.detail.starts_with('{');
    if (blocked) {
      w.member_raw("promptFeedback", choices_[0].finish.stop.detail);
    } else {
      w.key("candidates").begin_array();
      for (Progress& p : choices_) last(w, p);
      w.end_array();
    }
    if (e.service_tier) head_.service_tier = e.service_tier;
    if (const std::string usage = write_usage(usage_, head_.service_tier.value_or("")); !usage.empty()) {
      w.member_raw("usageMetadata", usage);
    }
    head(w);
    if (e.extras.origin == self) {
      for (const Extra& x : e.extras.members) w.member_raw(x.key, x.raw);
    }
    w.end_object();
    send(chunk, out);
    if (array_) out += "\n]";
    over_ = true;
  }

  void last(json::Writer& w, Progress& p) {
    w.begin_object();
    w.key("content").begin_object().key("parts").begin_array();
    w.begin_object().member("text", "").end_object().end_array().member("role", "model");
    if (p.finish.message_extras.origin == self) {
      for (const Extra& x : p.finish.message_extras.members) w.member_raw(x.key, x.raw);
    }
    w.end_object();
    write_stop(w, p.finish.stop, p.malformed);
    // Without a reason a stream has no proper end.
    if (finish_reason(p.finish.stop).empty() && !p.malformed) w.member("finishReason", "FINISH_REASON_UNSPECIFIED");
    w.member("index", p.index);
    bool grounded = false;
    if (p.finish.extras.origin == self) {
      for (const Extra& x : p.finish.extras.members) {
        grounded = grounded || x.key == "groundingMetadata" || x.key == "citationMetadata";
        w.member_raw(x.key, x.raw);
      }
    }
    std::vector<std::pair<std::size_t, const Text*>> cited;
    for (const auto& [block, text] : p.texts) cited.emplace_back(0, &text);
    if (const std::string text = grounded ? "" : write_grounding(cited); !text.empty()) {
      w.member_raw("groundingMetadata", text);
    }
    w.end_object();
  }

  void head(json::Writer& w) const {
    if (!model_.empty()) w.member("modelVersion", model_);
    if (!head_.id.empty()) w.member("responseId", head_.id);
    if (head_.extras.origin == self) {
      for (const Extra& x : head_.extras.members) w.member_raw(x.key, x.raw);
    }
  }

  void part_chunk(Progress& p, std::string_view part, std::string_view logprobs, std::string& out) {
    ++p.parts;
    chunk_.clear();
    json::Writer w(chunk_);
    w.begin_object().key("candidates").begin_array().begin_object();
    w.key("content")
        .begin_object()
        .key("parts")
        .begin_array()
        .raw(part)
        .end_array()
        .member("role", "model")
        .end_object();
    w.member("index", p.index);
    if (!logprobs.empty()) w.member_raw("logprobsResult", logprobs);
    w.end_object().end_array();
    head(w);
    w.end_object();
    send(chunk_, out);
  }

  void send(std::string_view chunk, std::string& out) {
    if (!array_) {
      out += "data: ";
      const std::size_t start = out.size();
      out += chunk;
      // Line ends of a neatly printed upstream stand between JSON's tokens only; here they would end the event.
      std::replace_if(
          out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), [](char c) { return c == '\n' || c == '\r'; },
          ' ');
      out += "\r\n\r\n";
      return;
    }
    out += sent_ ? ",\r\n" : "[";
    sent_ = true;
    out += chunk;
  }

  static void grow(Part& part, std::string_view text) {
    if (auto* p = part.as<Text>()) p->text += text;
    if (auto* p = part.as<Reasoning>()) p->text += text;
    if (auto* p = part.as<Refusal>()) p->text += text;
    if (auto* p = part.as<ToolCall>()) p->arguments += text;
    if (auto* p = part.as<Media>()) p->data += text;
  }

  // The text of a block that citations may point into. Not for upstreams that cite in their own form.
  void remember(Progress& p, std::string_view text) {
    if (auto* t = p.part.as<Text>(); t != nullptr && head_.origin != self) grow_cited(t->text, text);
  }

  std::string exchange_, model_;
  bool array_ = false;
  bool sent_ = false, over_ = false;
  Reply head_;
  Usage usage_;
  std::vector<Progress> choices_;
  std::string part_, chunk_;  // reused
};

}  // namespace

std::unique_ptr<StreamWriter> stream_writer(const Question& question) {
  return std::make_unique<Writing>(question);
}

}  // namespace sluice::gemini
