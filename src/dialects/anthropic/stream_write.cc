// Events as a Messages stream. SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "base/print.h"
#include "dialects/anthropic/anthropic.h"
#include "dialects/anthropic/blocks.h"
#include "dialects/anthropic/stop.h"
#include "dialects/anthropic/usage.h"
#include "dialects/call_input.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "model/fold.h"
#include "wire/sse.h"

namespace sluice::anthropic {
namespace {

constexpr DialectId self = DialectId::anthropic;
constexpr std::string_view ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";

// ,"key":value for each member, on one line.
void append_members(std::string& out, const Extras& extras) {
  for (const Extra& x : extras.members) {
    out += ',';
    json::append_quoted(out, x.key);
    out += ':';
    out += json::compact(x.raw);
  }
}

enum class Open : std::uint8_t { none, text, thinking, call, held };

class Writer final : public StreamWriter {
 public:
  explicit Writer(const Question& question) : model_(question.model), exchange_id_(question.exchange_id) {}

  void write(const Event& event, std::string& out) override {
    out_ = &out;
    std::visit([this](const auto& e) { on(e); }, event);
  }

  void keep_alive(std::string& out) override {
    out_ = &out;
    start();
    out += ping;
  }

  [[nodiscard]] std::string_view content_type() const override { return "text/event-stream"; }

 private:
  // The message opens with the first event behind Begin and the usage that follows it.
  void on(const Begin& e) {
    head_ = e.reply;
    begun_ = true;
  }

  void on(const UsageSeen& e) { merge(usage_, e.usage); }

  void start() {
    if (!begun_ || started_) return;
    started_ = true;
    std::string data;
    json::Writer w(data);
    w.begin_object().member("type", "message_start").key("message").begin_object();
    w.member("id", head_.id.empty() ? "msg_" + hash_text(exchange_id_, 24) : head_.id);
    w.member("type", "message").member("role", "assistant");
    w.member("model", head_.model.empty() ? model_ : head_.model);
    w.key("content").begin_array().end_array();
    w.key("stop_reason").null().key("stop_sequence").null().key("stop_details").null();
    w.key("usage");
    write_usage(w, usage_, head_.service_tier);
    Notes unsaid;
    write_extras(w, head_.extras, self, "", unsaid);
    w.end_object().end_object();
    sse::append_json(*out_, "message_start", data);
  }

  void on(const BlockStart& e) {
    if (e.choice != 0) return;
    start();
    part_ = e.part;
    text_.clear();
    open_ = Open::held;
    if (part_.as<Text>() != nullptr || part_.as<Refusal>() != nullptr) {
      open_ = Open::text;
    } else if (const auto* reasoning = part_.as<Reasoning>(); reasoning != nullptr && !reasoning->redacted) {
      open_ = Open::thinking;
    } else if (const auto* call = part_.as<ToolCall>()) {
      // A proof of Gemini's has to stand in front of the call, and free text needs its wrapping: both come whole.
      const bool hold = call->kind == ToolKind::custom || head_.origin == DialectId::gemini;
      open_ = hold ? Open::held : Open::call;
    }
    spoken_ = false;
    // Other vendors open blocks that stay empty; this one's own are meant.
    if (open_ == Open::call || (open_ != Open::held && head_.origin == self)) speak_start();
  }

  void on(const Delta& e) {
    const bool said = !e.text.empty() || (e.extras.origin == self && !e.extras.empty());
    if (e.choice != 0 || !said) return;
    if (open_ == Open::held) {
      text_ += e.text;
      return;
    }
    speak_start();
    switch (open_) {
      case Open::text: return delta("text_delta", "text", e.text, e.extras);
      case Open::thinking: return delta("thinking_delta", "thinking", e.text, e.extras);
      case Open::call: return delta("input_json_delta", "partial_json", e.text, e.extras);
      case Open::held:
      case Open::none: return;
    }
  }

  void on(const CitationSeen& e) {
    if (e.choice != 0 || open_ != Open::text) return;
    const std::string_view citation = citation_json(e.citation);
    if (citation.empty()) return;
    speak_start();
    std::string data = R"({"type":"content_block_delta","index":)";
    append_number(data, index_);
    data += R"(,"delta":{"type":"citations_delta","citation":)";
    data += citation;
    data += "}}";
    sse::append_json(*out_, "content_block_delta", data);
  }

  void on(const BlockStop& e) {
    if (e.choice != 0) return;
    const std::optional<Seal>& seal = e.seal ? e.seal : part_.seal;
    if (open_ == Open::held) {
      speak_held(seal);
    } else if (open_ == Open::thinking) {
      if (seal) speak_start();
      if (seal) delta("signature_delta", "signature", seal_text(*seal, self));
      speak_stop();
    } else {
      speak_stop();
      if (seal) speak_proof(*seal, Belongs::previous);
    }
    open_ = Open::none;
  }

  void on(const Finish& e) {
    if (e.choice == 0) stop_ = e.stop;
  }

  void on(const Ping&) {
    start();
    *out_ += ping;
  }

  void on(const OpaqueEvent& e) {
    if (e.origin != self) return;
    start();
    sse::append_json(*out_, e.type, e.raw);
  }

  void on(const Failed& e) {
    start();
    sse::append_json(*out_, "error", write_error(e.error, exchange_id_));
  }

  void on(const End& e) {
    start();
    std::string data;
    json::Writer w(data);
    w.begin_object().member("type", "message_delta").key("delta").begin_object();
    write_stop(w, stop_, calls_ > 0);
    for (const Extra& x : e.extras.members) {
      if (e.extras.origin == self && x.key == "container") w.member_raw(x.key, x.raw);
    }
    w.end_object().key("usage");
    write_usage(w, usage_, {});
    for (const Extra& x : e.extras.members) {
      if (e.extras.origin == self && x.key != "container") w.member_raw(x.key, x.raw);
    }
    w.end_object();
    sse::append_json(*out_, "message_delta", data);
    *out_ += "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  }

  void delta(std::string_view type, std::string_view member, std::string_view text, const Extras& extras = {}) {
    std::string& out = *out_;
    out += "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":";
    append_number(out, index_);
    out += ",\"delta\":{\"type\":\"";
    out += type;
    out += "\",\"";
    out += member;
    out += "\":";
    json::append_quoted(out, text);
    if (extras.origin == self) append_members(out, extras);
    out += "}}\n\n";
  }

  // {"type":"content_block_start","index":N,"content_block":{ … the caller closes all three with speak_block.
  std::string block_head(std::string_view type) const {
    std::string data = R"({"type":"content_block_start","index":)";
    append_number(data, index_);
    data += R"(,"content_block":{"type":")";
    data += type;
    data += '"';
    return data;
  }

  void speak_block(std::string data, const Extras& extras) {
    if (extras.origin == self) append_members(data, extras);
    data += "}}";
    sse::append_json(*out_, "content_block_start", data);
    spoken_ = true;
  }

  void speak_start() {
    if (spoken_) return;
    switch (open_) {
      case Open::text: return speak_block(block_head("text") + R"(,"text":"")", part_.extras);
      case Open::thinking:
        return speak_block(block_head("thinking") + R"(,"thinking":"","signature":"")", part_.extras);
      case Open::call: return speak_call();
      case Open::held:
      case Open::none: return;
    }
  }

  void speak_call() {
    const auto* call = part_.as<ToolCall>();
    const std::string id = call->id.empty() ? answer_tool_id("toolu_", exchange_id_, 0, calls_) : call->id;
    ++calls_;
    std::string data = block_head("tool_use") + ",\"id\":" + json::quote(id) + ",\"name\":" + json::quote(call->name);
    speak_block(std::move(data) + ",\"input\":{}", part_.extras);
  }

  void speak_stop() {
    if (!spoken_) return;
    *out_ += "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":";
    append_number(*out_, index_++);
    *out_ += "}\n\n";
    spoken_ = false;
  }

  // Blocks that stand complete in their opening.
  void speak_held(const std::optional<Seal>& seal) {
    if (auto* call = part_.as<ToolCall>()) {
      if (seal) speak_proof(*seal, Belongs::next);
      call->arguments = std::move(text_);
      bool wrapped = false;
      const std::string input = call_input(*call, wrapped);
      open_ = Open::call;
      speak_call();
      delta("input_json_delta", "partial_json", input);
      speak_stop();
    } else if (part_.as<Reasoning>() != nullptr) {
      if (seal) speak_proof(*seal, Belongs::itself);
    } else if (const auto* tool = part_.as<ServerTool>()) {
      if (tool->origin == self) tool->is_result ? speak_whole(tool->raw) : speak_server_call(tool->raw);
    } else if (const auto* opaque = part_.as<Opaque>()) {
      if (opaque->origin == self) speak_whole(opaque->raw);
    } else if (part_.as<Media>() != nullptr) {
      open_ = Open::text;
      speak_start();
      delta("text_delta", "text", "[an image or sound that this API cannot carry]");
      speak_stop();
    }
  }

  void speak_whole(std::string_view block) {
    std::string data = R"({"type":"content_block_start","index":)";
    append_number(data, index_);
    data += R"(,"content_block":)";
    data += block;
    data += '}';
    sse::append_json(*out_, "content_block_start", data);
    spoken_ = true;
    speak_stop();
  }

  // The vendor streams the input of its own calls as well.
  void speak_server_call(const RawJson& raw) {
    json::Document doc;
    const auto block = doc.parse(raw);
    const json::Edit empty{.pointer = "/input", .value = "{}"};
    const auto opened = json::apply(raw, std::span(&empty, 1));
    if (!block || !opened || !(*block)["input"].is_object()) return speak_whole(raw);
    std::string data = R"({"type":"content_block_start","index":)";
    append_number(data, index_);
    sse::append_json(*out_, "content_block_start", data + R"(,"content_block":)" + *opened + '}');
    delta("input_json_delta", "partial_json", (*block)["input"].raw());
    spoken_ = true;
    speak_stop();
  }

  void speak_proof(const Seal& seal, Belongs belongs) {
    std::string data = block_head("redacted_thinking") + ",\"data\":" + json::quote(seal_data(seal, belongs));
    speak_block(std::move(data), belongs == Belongs::itself ? part_.extras : Extras{});
    speak_stop();
  }

  std::string model_, exchange_id_;
  std::string* out_ = nullptr;
  Reply head_;
  Usage usage_;
  Stop stop_;
  bool begun_ = false;
  bool started_ = false;

  Open open_ = Open::none;
  Part part_;
  std::string text_;        // of a held block
  bool spoken_ = false;     // the block's start is out
  std::int64_t index_ = 0;  // of the block that is open or comes next
  std::size_t calls_ = 0;
};

}  // namespace

std::unique_ptr<StreamWriter> stream_writer(const Question& question) {
  return std::make_unique<Writer>(question);
}

}  // namespace sluice::anthropic
