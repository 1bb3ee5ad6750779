// OpenAI Responses, written: the whole ladder of added, delta and done, from events alone. Only for the trial of the
// contracts (trial_test.h). SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include "dialects/seal_envelope.h"
#include "dialects/trial_test.h"
#include "wire/sse.h"

namespace sluice::trial {
namespace {

constexpr DialectId self = DialectId::openai_responses;

class Writer final : public StreamWriter {
 public:
  explicit Writer(const Question& question)
      : model_(question.model), exchange_(question.exchange_id), seconds_(question.unix_seconds) {
    // What the reply repeats of the question, where the upstream did not.
    for (const json::TopMember& m : question.asked) {
      if (m.key != "input" && m.key != "model" && m.key != "stream" && m.key != "include") {
        echo_.add(self, m.key, m.raw);
      }
    }
  }
  void write(const Event& event, std::string& out) override {
    out_ = &out;
    std::visit([&](const auto& e) { on(e); }, event);
  }
  void keep_alive(std::string& out) override { sse::append_comment(out, "keep-alive"); }
  [[nodiscard]] std::string_view content_type() const override { return "text/event-stream"; }

 private:
  enum class Kind : std::uint8_t { none, message, reasoning, call, custom, whole };

  // One event: `members` is what follows the type, without braces.
  void send(std::string_view type, const std::string& members) {
    std::string data = R"({"type":")" + std::string(type) + R"(","sequence_number":)" + std::to_string(sequence_++);
    if (!members.empty()) data += ',' + members;
    sse::append_event(*out_, type, data + '}');
  }
  [[nodiscard]] std::string at_item() const {
    return "\"item_id\":" + json::quoted(id_) + ",\"output_index\":" + std::to_string(items_.size());
  }
  [[nodiscard]] std::string at_part() const {
    const bool summary = kind_ == Kind::reasoning && summary_;
    return at_item() + (summary ? ",\"summary_index\":" + std::to_string(summaries_.size())
                                : ",\"content_index\":" + std::to_string(contents_.size()));
  }
  static std::string joined(const std::vector<std::string>& list) {
    std::string out = "[";
    for (const std::string& one : list) out += (out.size() > 1 ? "," : "") + one;
    return out + ']';
  }
  static void members(json::Writer& w, const Extras& extras) {
    for (const Extra& x : extras.members) {
      if (extras.origin == self && x.key[0] != '\x1f') w.member_raw(x.key, x.raw);
    }
  }

  std::string response(std::string_view status, const Extras& late, const std::optional<std::string>& tier) {
    std::string out;
    json::Writer w(out);
    w.begin_object().member("id", head_.id.empty() ? "resp_" + exchange_ : head_.id).member("object", "response");
    w.member("created_at", head_.created.value_or(seconds_)).member("status", status);
    w.member("model", head_.model.empty() ? model_ : head_.model).member_raw("output", joined(items_));
    w.key("error").null().key("incomplete_details").raw(detail_.empty() ? "null" : detail_);
    if (tier) w.member("service_tier", *tier);
    if (status == "in_progress") {
      w.key("usage").null();
    } else if (usage_) {
      w.member_raw("usage", usage_->origin == self ? usage_->raw : usage(*usage_));
    }
    Extras all = head_.extras.origin == self && !head_.extras.empty() ? head_.extras : echo_;
    for (const Extra& x : late.members) {
      std::erase_if(all.members, [&](const Extra& before) { return before.key == x.key; });
    }
    members(w, all);
    members(w, late);
    w.end_object();
    return out;
  }

  static std::string usage(const Usage& u) {
    std::string out;
    json::Writer w(out);
    const std::int64_t written = u.cache_write_5m.value_or(0) + u.cache_write_1h.value_or(0);
    w.begin_object().member("input_tokens", u.total_input()).key("input_tokens_details").begin_object();
    w.member("cached_tokens", u.cache_read.value_or(0)).member("cache_write_tokens", written).end_object();
    w.member("output_tokens", u.total_output()).key("output_tokens_details").begin_object();
    w.member("reasoning_tokens", u.reasoning.value_or(0)).end_object();
    w.member("total_tokens", u.total_input() + u.total_output()).end_object();
    return out;
  }

  std::string item(bool done) const {
    if (kind_ == Kind::whole) return whole_;
    std::string out;
    json::Writer w(out);
    w.begin_object().member("id", id_);
    if (kind_ == Kind::message) {
      w.member("type", "message").member("role", "assistant").member_raw("content", joined(contents_));
    } else if (kind_ == Kind::reasoning) {
      w.member("type", "reasoning").member_raw("summary", joined(summaries_));
      if (!contents_.empty()) w.member_raw("content", joined(contents_));
      if (seal_) w.member("encrypted_content", seal_text(*seal_, self));
    } else {
      const bool custom = kind_ == Kind::custom;
      w.member("type", custom ? "custom_tool_call" : "function_call");
      w.member("call_id", call_.id).member("name", call_.name).member(custom ? "input" : "arguments", text_);
      if (!call_.name_space.empty()) w.member("namespace", call_.name_space);
    }
    if (!phase_.empty()) w.member_raw("phase", phase_);
    const bool own_words = late_.origin == self && !late_.empty();
    if (done && own_words) members(w, late_);
    if (!done) w.member("status", "in_progress");
    if (done && !own_words && kind_ != Kind::reasoning) w.member("status", "completed");
    w.end_object();
    return out;
  }

  std::string part(bool done) const {
    std::string out;
    json::Writer w(out);
    w.begin_object().member("type", part_type_);
    w.member(part_type_ == "refusal" ? "refusal" : "text", done ? text_ : "");
    if (part_type_ == "output_text") w.member_raw("annotations", joined(annotations_)).member_raw("logprobs", "[]");
    w.end_object();
    return out;
  }

  // Ends the item whose last part has ended; that it was the last is known only when another begins.
  void close_item() {
    if (kind_ == Kind::none) return;
    const std::string last = item(true);
    send("response.output_item.done", "\"output_index\":" + std::to_string(items_.size()) + ",\"item\":" + last);
    items_.push_back(last);
    kind_ = Kind::none;
  }

  void open_item(Kind kind, std::string id, std::string phase) {
    kind_ = kind;
    id_ = id.empty() ? (kind == Kind::message     ? "msg_"
                        : kind == Kind::reasoning ? "rs_"
                                                  : "fc_") +
                           exchange_ + '_' + std::to_string(items_.size())
                     : std::move(id);
    phase_ = std::move(phase);
    contents_.clear();
    summaries_.clear();
    seal_.reset();
    late_ = {};
    text_.clear();
    send("response.output_item.added",
         "\"output_index\":" + std::to_string(items_.size()) + ",\"item\":" + item(false));
  }

  void on(const Begin& e) {
    head_ = e.reply;
    send("response.created", "\"response\":" + response("in_progress", {}, head_.service_tier));
    send("response.in_progress", "\"response\":" + response("in_progress", {}, head_.service_tier));
  }

  void on(const BlockStart& e) {
    const auto own = [&](std::string_view key) {
      for (const Extra& x : e.part.extras.members) {
        if (e.part.extras.origin == self && x.key == key) return x.raw;
      }
      return std::string();
    };
    const std::string id = own("id").empty() ? "" : json::unescape(own("id").substr(1, own("id").size() - 2));
    part_ = e.part;
    text_.clear();
    annotations_.clear();
    const auto* thought = e.part.as<Reasoning>();
    const bool refusal = e.part.as<Refusal>() != nullptr;
    if (thought || refusal || e.part.as<Text>()) {
      const Kind kind = thought ? Kind::reasoning : Kind::message;
      if (kind_ != kind || id.empty() || id != id_) {
        close_item();
        open_item(kind, id, own("phase"));
      }
      late_ = e.part.extras;  // of a whole part: then the members of the end stand here already
      std::erase_if(late_.members, [](const Extra& x) { return x.key == "id" || x.key == "phase"; });
      summary_ = thought && (thought->summary || e.part.extras.origin != self);
      part_type_ = !thought ? (refusal ? "refusal" : "output_text") : summary_ ? "summary_text" : "reasoning_text";
      if (thought && thought->redacted) return;
      send(thought && summary_ ? "response.reasoning_summary_part.added" : "response.content_part.added",
           at_part() + ",\"part\":" + part(false));
      return;
    }
    close_item();
    if (const auto* call = e.part.as<ToolCall>()) {
      call_ = *call;
      open_item(call->kind == ToolKind::custom ? Kind::custom : Kind::call, call->native_id, {});
      late_ = e.part.extras;
    } else {
      kind_ = Kind::whole;  // opened when it is known whether there is anything to say
    }
  }

  void on(const Delta& e) {
    text_ += e.text;
    if (kind_ == Kind::whole || (part_.as<Reasoning>() && part_.as<Reasoning>()->redacted)) return;
    const std::string delta = ",\"delta\":" + json::quoted(e.text);
    if (kind_ == Kind::call) return send("response.function_call_arguments.delta", at_item() + delta);
    if (kind_ == Kind::custom) return send("response.custom_tool_call_input.delta", at_item() + delta);
    send("response." + delta_name() + ".delta",
         at_part() + delta + (part_type_ == "output_text" ? ",\"logprobs\":[]" : ""));
  }
  [[nodiscard]] std::string delta_name() const {
    return part_type_ == "summary_text" ? "reasoning_summary_text" : part_type_;
  }

  void on(const CitationSeen& e) {
    std::string raw = e.citation.raw;
    if (e.citation.origin != self) {
      if (e.citation.url.empty()) return;
      raw = R"({"type":"url_citation","start_index":)" + std::to_string(e.citation.start.value_or(0)) +
            R"(,"end_index":)" + std::to_string(e.citation.end.value_or(0)) +
            ",\"url\":" + json::quoted(e.citation.url) + ",\"title\":" + json::quoted(e.citation.title) + '}';
    }
    send("response.output_text.annotation.added",
         at_part() + ",\"annotation_index\":" + std::to_string(annotations_.size()) + ",\"annotation\":" + raw);
    annotations_.push_back(raw);
  }

  void on(const BlockStop& e) {
    for (const Extra& x : e.extras.members) late_.add(e.extras.origin, x.key, x.raw);
    if (e.seal) seal_ = e.seal;
    if (kind_ == Kind::whole) return whole();
    if (kind_ == Kind::call) {
      send("response.function_call_arguments.done", at_item() + ",\"arguments\":" + json::quoted(text_));
    } else if (kind_ == Kind::custom) {
      send("response.custom_tool_call_input.done", at_item() + ",\"input\":" + json::quoted(text_));
    } else if (const auto* thought = part_.as<Reasoning>(); !thought || !thought->redacted) {
      const std::string at = at_part();
      const std::string member = part_type_ == "refusal" ? ",\"refusal\":" : ",\"text\":";
      send("response." + delta_name() + ".done", at + member + json::quoted(text_));
      const std::string done = part(true);
      const bool summary = part_type_ == "summary_text";
      send(summary ? "response.reasoning_summary_part.done" : "response.content_part.done", at + ",\"part\":" + done);
      (summary ? summaries_ : contents_).push_back(done);
    }
  }

  // Parts that come whole, if they are of this dialect.
  void whole() {
    kind_ = Kind::none;
    whole_.clear();
    if (const auto* tool = part_.as<ServerTool>(); tool && tool->origin == self) whole_ = tool->raw;
    if (const auto* opaque = part_.as<Opaque>(); opaque && opaque->origin == self) whole_ = opaque->raw;
    if (const auto* image = part_.as<Media>(); image && image->form == MediaForm::base64) {
      json::Writer w(whole_);
      w.begin_object().member("type", "image_generation_call").member("result", text_);
      members(w, part_.extras);
      w.end_object();
    }
    if (whole_.empty()) return;
    kind_ = Kind::whole;
    send("response.output_item.added", "\"output_index\":" + std::to_string(items_.size()) + ",\"item\":" + whole_);
    close_item();
  }

  void on(const UsageSeen& e) { usage_ = e.usage; }
  void on(const Finish& e) {
    close_item();
    stop_ = e.stop;
  }
  void on(const End& e) {
    const bool cut = stop_.kind == StopKind::length || stop_.kind == StopKind::context_full;
    const bool blocked = stop_.kind == StopKind::content_filter;
    if (cut) detail_ = R"({"reason":"max_output_tokens"})";
    if (blocked) detail_ = R"({"reason":"content_filter"})";
    if (stop_.origin == self && !stop_.detail.empty()) detail_ = stop_.detail;
    const bool own = stop_.origin == self && !stop_.raw.empty();  // also a status that is no end: queued
    const std::string_view type = cut || blocked ? "incomplete" : "completed";
    const auto& tier = e.service_tier ? e.service_tier : head_.service_tier;
    send("response." + std::string(type), "\"response\":" + response(own ? stop_.raw : type, e.extras, tier));
  }
  void on(const Failed& e) {
    send("error", "\"code\":" + json::quoted(e.error.code.empty() ? "server_error" : e.error.code) +
                      ",\"message\":" + json::quoted(e.error.message) + ",\"param\":null");
  }
  void on(const Ping&) { keep_alive(*out_); }
  void on(const OpaqueEvent& e) {
    if (e.origin == self) sse::append_event(*out_, e.type, e.raw);
  }

  std::string model_, exchange_;
  std::int64_t seconds_;
  Extras echo_;
  std::string* out_ = nullptr;
  std::int64_t sequence_ = 0;
  Reply head_;
  Stop stop_;
  RawJson detail_;
  std::optional<Usage> usage_;
  std::vector<std::string> items_;  // that are done

  Kind kind_ = Kind::none;  // of the open item
  std::string id_, phase_, whole_;
  std::vector<std::string> contents_, summaries_;
  ToolCall call_;
  std::optional<Seal> seal_;
  Extras late_;

  Part part_;  // that is open or was last
  bool summary_ = false;
  std::string part_type_, text_;
  std::vector<std::string> annotations_;
};

}  // namespace

std::unique_ptr<StreamWriter> responses_stream_writer(const Question& question) {
  return std::make_unique<Writer>(question);
}

}  // namespace sluice::trial
