// Events as a Chat stream. SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "base/print.h"
#include "dialects/cohere/cohere.h"
#include "dialects/cohere/logprobs.h"
#include "dialects/cohere/message.h"
#include "dialects/cohere/stop.h"
#include "dialects/cohere/usage.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "model/fold.h"
#include "wire/sse.h"

namespace sluice::cohere {
namespace {

enum class Open : std::uint8_t { none, content, plan, call, whole };

// A text that is over.
struct Passage {
  std::int64_t block = 0;
  std::int64_t content = 0;  // its number here
  std::string text;
};

class Writer final : public StreamWriter {
 public:
  explicit Writer(const Question& question) : exchange_id_(question.exchange_id) {}

  void write(const Event& event, std::string& out) override {
    out_ = &out;
    std::visit([this](const auto& e) { on(e); }, event);
  }

  void keep_alive(std::string& out) override { sse::append_comment(out, "keep-alive"); }
  [[nodiscard]] std::string_view content_type() const override { return "text/event-stream"; }

 private:
  void on(const Begin& e) {
    own_ = e.reply.origin == self;
    std::string data;
    json::Writer w(data);
    w.begin_object().member("id", e.reply.id.empty() ? std::string_view(exchange_id_) : std::string_view(e.reply.id));
    w.member("type", "message-start");
    if (!e.reply.model.empty()) w.member("model", e.reply.model);
    w.member_raw("delta",
                 R"({"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}})");
    Notes unsaid;
    write_extras(w, e.reply.extras, self, "", unsaid);
    w.end_object();
    sse::append_json(*out_, "message-start", data);
  }

  void on(const BlockStart& e) {
    if (e.choice != 0) return;
    part_ = e.part;
    text_.clear();
    citations_.clear();
    spoken_ = false;
    open_ = Open::content;
    if (part_.as<ToolCall>() != nullptr) {
      open_ = Open::call;
      custom_ = part_.as<ToolCall>()->kind == ToolKind::custom;
      speak_call_start();
    } else if (is_plan(part_)) {
      open_ = Open::plan;
    } else if (part_.as<Text>() == nullptr && part_.as<Refusal>() == nullptr && part_.as<Reasoning>() == nullptr) {
      open_ = Open::whole;
    } else if (own_ || (part_.as<Reasoning>() != nullptr && part_.as<Reasoning>()->redacted && part_.seal)) {
      // Other vendors open blocks that stay empty; this one's own are meant.
      speak_content_start();
    }
  }

  void on(const Delta& e) {
    if (e.choice != 0 || (e.text.empty() && !e.logprobs && e.extras.empty())) return;
    switch (open_) {
      case Open::content: return speak_content(e);
      case Open::plan: return speak_plan(e.text);
      case Open::call:
        text_ += e.text;
        if (!custom_) speak_arguments(e.text);
        return;
      case Open::whole:
      case Open::none: return;
    }
  }

  void on(const CitationSeen& e) {
    if (e.choice != 0) return;
    if (open_ == Open::none) return speak_late(e);
    if (open_ != Open::content && open_ != Open::plan) return;
    // One that spans its whole text, as others cite, is known when the text is.
    if (e.citation.end || e.citation.origin == self) return speak_citation(e.citation);
    citations_.push_back(e.citation);
  }

  void on(const BlockStop& e) {
    if (e.choice != 0) return;
    const std::optional<Seal>& seal = e.seal ? e.seal : part_.seal;
    if (open_ == Open::content) {
      if (seal && !spoken_) speak_content_start();
      for (const Citation& citation : std::exchange(citations_, {})) speak_citation(citation);
      if (part_.as<Text>() != nullptr && spoken_) texts_.push_back({e.block, content_, std::move(text_)});
      if (spoken_) speak_end("content-end", content_++, seal);
    } else if (open_ == Open::call) {
      if (custom_) {
        std::string wrapped;
        json::Writer(wrapped).begin_object().member("input", text_).end_object();
        speak_arguments(wrapped);
      } else if (text_.empty()) {
        speak_arguments("{}");  // clients parse what they got
      }
      speak_end("tool-call-end", call_++, seal);
    } else if (open_ == Open::whole) {
      speak_whole();
    }
    open_ = Open::none;
  }

  void on(const UsageSeen& e) { merge(usage_, e.usage); }

  void on(const Finish& e) {
    if (e.choice != 0) return;
    stop_ = e.stop;
    if (e.message_extras.origin != self) return;
    for (const Extra& extra : e.message_extras.members) {
      if (extra.key == "citations") speak_late_citations(extra.raw);
    }
  }

  void on(const Ping&) { sse::append_comment(*out_, "keep-alive"); }

  void on(const OpaqueEvent& e) {
    if (e.origin == self) sse::append_json(*out_, e.type, e.raw);
  }

  // The vendor tells a failure as a reason to finish; no [DONE] follows.
  void on(const Failed& e) {
    std::string data;
    json::Writer w(data);
    w.begin_object().member("type", "message-end").key("delta").begin_object();
    w.member("finish_reason", e.error.fault == Fault::upstream_timeout ? "TIMEOUT" : "ERROR");
    w.member("error", e.error.message);
    write_usage(w, usage_);
    w.end_object().end_object();
    sse::append_json(*out_, "message-end", data);
  }

  void on(const End& e) {
    std::string data;
    json::Writer w(data);
    w.begin_object().member("type", "message-end").key("delta").begin_object();
    w.member("finish_reason", write_stop(stop_, call_ > 0));
    write_usage(w, usage_);
    Notes unsaid;
    write_extras(w, e.extras, self, "", unsaid);
    w.end_object().end_object();
    sse::append_json(*out_, "message-end", data);
    sse::append_event(*out_, "", "[DONE]");
  }

  // --- frames -------------------------------------------------------------------------------------------------------

  // {"type":…,"index":…,"delta":{"message":{
  static std::string head(std::string_view type, std::int64_t index) {
    std::string data = R"({"type":")";
    data += type;
    data += R"(","index":)";
    append_number(data, index);
    data += R"(,"delta":{"message":{)";
    return data;
  }

  [[nodiscard]] bool thinking() const { return part_.as<Reasoning>() != nullptr; }

  void speak_content_start() {
    spoken_ = true;
    std::string data = head("content-start", content_);
    data += R"("content":)";
    Part opening = part_;
    opening.seal.reset();
    if (auto* refusal = opening.as<Refusal>()) opening.body = Text{.text = refusal->text};
    json::Writer w(data);
    Notes unsaid;
    write_content_part(w, opening, "", unsaid);
    sse::append_json(*out_, "content-start", data + "}}}");
  }

  void speak_content(const Delta& e) {
    if (!spoken_) speak_content_start();
    text_ += e.text;
    std::string data = head("content-delta", content_);
    data += thinking() ? R"("content":{"thinking":)" : R"("content":{"text":)";
    json::append_quoted(data, e.text);
    data += "}}}";
    if (e.logprobs && own_) data += ",\"logprobs\":" + logprobs_item(*e.logprobs);
    if (e.extras.origin == self) {
      for (const Extra& extra : e.extras.members) {
        data += ',';
        json::append_quoted(data, extra.key);
        data += ':' + extra.raw;
      }
    }
    sse::append_json(*out_, "content-delta", data + '}');
  }

  void speak_plan(const std::string& text) {
    text_ += text;
    std::string data = R"({"type":"tool-plan-delta","delta":{"message":{"tool_plan":)";
    json::append_quoted(data, text);
    sse::append_json(*out_, "tool-plan-delta", data + "}}}");
  }

  void speak_call_start() {
    const auto& call = *part_.as<ToolCall>();
    std::string data = head("tool-call-start", call_);
    json::Writer w(data);
    const std::string id =
        call.id.empty() ? answer_tool_id("call_", exchange_id_, 0, static_cast<std::size_t>(call_)) : call.id;
    data += R"("tool_calls":)";
    w.begin_object().member("id", id).member("type", "function").key("function").begin_object();
    w.member("name", call.name).member("arguments", "");
    write_inner_extras(w, part_.extras, self, "function");
    w.end_object();
    Notes unsaid;
    write_extras(w, part_.extras, self, "", unsaid);
    w.end_object();
    sse::append_json(*out_, "tool-call-start", data + "}}}");
  }

  void speak_arguments(std::string_view text) {
    std::string data = head("tool-call-delta", call_);
    data += R"("tool_calls":{"function":{"arguments":)";
    json::append_quoted(data, text);
    sse::append_json(*out_, "tool-call-delta", data + "}}}}}");
  }

  void speak_citation(const Citation& citation) {
    if (!spoken_ && open_ == Open::content) speak_content_start();
    speak_citation(citation_json(citation, text_, content_));
  }
  void speak_citation(std::string_view raw) {
    std::string data = head("citation-start", cited_);
    data += R"("citations":)";
    data += raw;
    sse::append_json(*out_, "citation-start", data + "}}}");
    speak_end("citation-end", cited_++, {});
  }
  // Of a text that is over.
  void speak_late(const CitationSeen& e) {
    const auto text = std::ranges::find(texts_, e.block, &Passage::block);
    if (text != texts_.end()) speak_citation(citation_json(e.citation, text->text, text->content));
  }
  void speak_late_citations(std::string_view list) {
    json::Document doc;
    const auto citations = doc.parse(list);
    if (!citations) return;
    for (const json::Value one : citations->elements()) speak_citation(one.raw());
  }

  void speak_end(std::string_view type, std::int64_t index, const std::optional<Seal>& seal) {
    std::string data = R"({"type":")";
    data += type;
    data += R"(","index":)";
    append_number(data, index);
    if (seal) data += ",\"signature\":" + json::quote(seal_text(*seal, self));
    sse::append_json(*out_, type, data + '}');
  }

  // Parts without a form here: this vendor's own come back as they came, media leave a word.
  void speak_whole() {
    const auto* opaque = part_.as<Opaque>();
    const bool ours = opaque != nullptr && opaque->origin == self;
    if (!ours && part_.as<Media>() == nullptr) return;
    if (!ours) part_ = {.body = Text{}};
    speak_content_start();
    if (!ours) speak_content(Delta{.text = "[an image or sound that this API cannot carry]"});
    speak_end("content-end", content_++, {});
  }

  std::string exchange_id_;
  std::string* out_ = nullptr;
  bool own_ = false;
  Usage usage_;
  Stop stop_;

  Open open_ = Open::none;
  Part part_;
  std::string text_;                 // of the open block, arguments too, as far as it is known
  std::vector<Citation> citations_;  // that wait for the end of their text
  bool spoken_ = false;              // the content's start is out
  bool custom_ = false;              // a free-text call: its arguments come whole, wrapped
  std::vector<Passage> texts_;
  std::int64_t content_ = 0, call_ = 0, cited_ = 0;
};

}  // namespace

std::unique_ptr<StreamWriter> stream_writer(const Question& question) {
  return std::make_unique<Writer>(question);
}

}  // namespace sluice::cohere
