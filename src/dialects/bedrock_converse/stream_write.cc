// Events as a stream of binary frames. What belongs to the head of a whole answer stands at the end here.
// SPDX-License-Identifier: MIT
#include <charconv>
#include <string>
#include <utility>

#include "dialects/bedrock_converse/bedrock_converse.h"
#include "dialects/bedrock_converse/blocks.h"
#include "dialects/bedrock_converse/formats.h"
#include "dialects/bedrock_converse/stop.h"
#include "dialects/bedrock_converse/usage.h"
#include "dialects/call_input.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "model/fold.h"
#include "wire/aws_eventstream.h"

namespace sluice::bedrock_converse {
namespace {

enum class Open : std::uint8_t { none, text, thinking, call, image, held };

class Writer final : public StreamWriter {
 public:
  explicit Writer(const Question& question) : exchange_id_(question.exchange_id) {}

  void write(const Event& event, std::string& out) override {
    out_ = &out;
    std::visit([this](const auto& e) { on(e); }, event);
  }
  // This form has no comments.
  void keep_alive(std::string& /*out*/) override {}
  [[nodiscard]] std::string_view content_type() const override { return "application/vnd.amazon.eventstream"; }

 private:
  void send(std::string_view type, std::string_view payload) {
    if (!aws_eventstream::append_event(*out_, type, payload)) {
      fail({.fault = Fault::upstream_broken, .message = "An event of the answer is too large for this form."});
    }
  }
  void fail(const Error& error) {
    if (std::exchange(failed_, true)) return;
    (void)aws_eventstream::append_exception(*out_, stream_exception_of(error), write_error(error));
  }

  // {"contentBlockIndex":N,"NAME":
  std::string block_head(std::string_view name) const {
    std::string data = R"({"contentBlockIndex":)";
    char digits[24];
    data.append(digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, index_).ptr - digits));
    data += ",\"";
    data += name;
    data += "\":";
    return data;
  }
  void start(std::string_view block) { send("contentBlockStart", block_head("start") + std::string(block) + '}'); }
  void delta(std::string_view block) { send("contentBlockDelta", block_head("delta") + std::string(block) + '}'); }
  void stop() {
    std::string data = R"({"contentBlockIndex":)" + std::to_string(index_++) + '}';
    send("contentBlockStop", data);
  }
  // {"NAME":"text"}, or below one more name.
  void text_delta(std::string_view name, std::string_view text) {
    std::string data = block_head("delta");
    data += "{\"";
    data += name;
    data += "\":";
    json::append_quoted(data, text);
    data += "}}";
    send("contentBlockDelta", data);
  }
  void inner_delta(std::string_view outer, std::string_view name, std::string_view text) {
    std::string data = block_head("delta");
    data += "{\"";
    data += outer;
    data += "\":{\"";
    data += name;
    data += "\":";
    json::append_quoted(data, text);
    data += "}}}";
    send("contentBlockDelta", data);
  }

  void on(const Begin& e) {
    if (std::exchange(begun_, true)) return;
    head_ = e.reply;
    if (e.reply.usage.known()) merge(usage_, e.reply.usage);
    send("messageStart", R"({"role":"assistant"})");
  }

  void on(const BlockStart& e) {
    if (e.choice != 0) return;
    part_ = e.part;
    grown_.clear();
    spoken_ = false;
    open_ = Open::held;
    if (part_.as<Text>() != nullptr || part_.as<Refusal>() != nullptr) {
      open_ = Open::text;
    } else if (const auto* reasoning = part_.as<Reasoning>(); reasoning != nullptr && !reasoning->redacted) {
      open_ = Open::thinking;
    } else if (const auto* call = part_.as<ToolCall>()) {
      // A proof of Gemini's has to stand in front of the call, and free text needs its wrapping: both come whole.
      const bool hold = call->kind == ToolKind::custom || head_.origin == DialectId::gemini;
      if (!hold) speak_call();
      if (!hold) open_ = Open::call;
    } else if (const auto* media = part_.as<Media>()) {
      const auto format = format_of_mime(MediaKind::image, media->mime);
      const bool image = media->kind == MediaKind::image && media->form == MediaForm::base64 && !format.empty();
      if (image) start(R"({"image":{"format":")" + std::string(format) + "\"}}");
      if (image) open_ = Open::image;
    }
  }

  void on(const Delta& e) {
    if (e.choice != 0 || e.text.empty()) return;
    switch (open_) {
      case Open::text: spoken_ = true; return text_delta("text", e.text);
      case Open::thinking: spoken_ = true; return inner_delta("reasoningContent", "text", e.text);
      case Open::call: spoken_ = true; return inner_delta("toolUse", "input", e.text);
      case Open::image: return delta(R"({"image":{"source":{"bytes":)" + json::quote(e.text) + "}}}");
      case Open::held: grown_ += e.text; return;
      case Open::none: return;
    }
  }

  void on(const CitationSeen& e) {
    if (e.choice != 0 || open_ != Open::text) return;
    spoken_ = true;
    delta("{\"citation\":" + citation_json(e.citation) + '}');
  }

  void on(const BlockStop& e) {
    if (e.choice != 0) return;
    const std::optional<Seal>& seal = e.seal ? e.seal : part_.seal;
    switch (open_) {
      case Open::text:
        // Without a start only a delta tells of a block. Other vendors open some that stay empty.
        if (!spoken_ && head_.origin == self) text_delta("text", "");
        if (spoken_ || head_.origin == self) stop();
        if (seal) speak_proof(*seal, Belongs::previous);
        break;
      case Open::thinking: end_thinking(seal); break;
      case Open::call:
      case Open::image:
        // Clients parse what they got.
        if (open_ == Open::call && !spoken_) inner_delta("toolUse", "input", "{}");
        stop();
        if (seal) speak_proof(*seal, Belongs::previous);
        break;
      case Open::held: speak_held(seal); break;
      case Open::none: break;
    }
    open_ = Open::none;
  }

  void end_thinking(const std::optional<Seal>& seal) {
    // Of a thought without words only the proof speaks.
    if (seal && !spoken_ && seal->dialect != self) return speak_proof(*seal, Belongs::thought);
    if (!seal && !spoken_ && head_.origin != self) return;
    if (!spoken_) inner_delta("reasoningContent", "text", "");
    if (seal) inner_delta("reasoningContent", "signature", seal_text(*seal, self));
    stop();
  }

  void speak_call() {
    const auto* call = part_.as<ToolCall>();
    const std::string id = call->id.empty() ? answer_tool_id("tooluse_", exchange_id_, 0, calls_) : call->id;
    ++calls_;
    std::string block;
    json::Writer w(block);
    w.begin_object().key("toolUse").begin_object().member("toolUseId", id).member("name", call->name);
    if (!remembered(part_.extras, self, type_memory).empty()) w.member("type", "tool_use");
    write_inner_extras(w, part_.extras, self, "toolUse");
    w.end_object().end_object();
    start(block);
  }

  // Blocks that are known only at their end.
  void speak_held(const std::optional<Seal>& seal) {
    if (auto* call = part_.as<ToolCall>()) {
      if (seal) speak_proof(*seal, Belongs::next);
      call->arguments = std::move(grown_);
      bool wrapped = false;
      const std::string input = call_input(*call, wrapped);
      speak_call();
      inner_delta("toolUse", "input", input);
      stop();
    } else if (part_.as<Reasoning>() != nullptr) {
      if (seal) speak_proof(*seal, Belongs::itself);
    } else if (const auto* tool = part_.as<ServerTool>()) {
      if (tool->origin == self) speak_server(tool->raw);
    } else if (part_.as<Media>() != nullptr) {
      text_delta("text", "[a file that this API cannot carry]");
      stop();
    }
  }

  // Its start holds everything but what grows.
  void speak_server(const RawJson& raw) {
    json::Document doc;
    const auto root = doc.parse(raw);
    if (!root) return;
    const bool call = (*root)["toolUse"].is_object();
    const json::Edit bare{.op = json::Edit::Op::drop, .pointer = call ? "/toolUse/input" : "/toolResult/content"};
    start(json::apply(raw, std::span(&bare, 1)).value_or(raw));
    if (call) {
      inner_delta("toolUse", "input", (*root)["toolUse"]["input"].raw());
    } else {
      delta("{\"toolResult\":" + std::string((*root)["toolResult"]["content"].raw()) + '}');
    }
    stop();
  }

  void speak_proof(const Seal& seal, Belongs belongs) {
    inner_delta("reasoningContent", "redactedContent", redacted_data(seal, belongs));
    stop();
  }

  void on(const UsageSeen& e) { merge(usage_, e.usage); }
  void on(const Finish& e) {
    if (e.choice == 0) stop_ = e.stop;
  }
  void on(const Ping&) {}
  void on(const OpaqueEvent& e) {
    if (e.origin == self) send(e.type, e.raw);
  }
  void on(const Failed& e) { fail(e.error); }

  void on(const End& e) {
    std::string stopped;
    json::Writer w(stopped);
    w.begin_object().member("stopReason", write_stop(stop_, calls_ > 0));
    if (head_.origin != self) write_answer_fields(w, head_.id, head_.model, stop_.sequence);
    extras(w, e, true);
    w.end_object();
    send("messageStop", stopped);

    std::string last;
    json::Writer m(last);
    m.begin_object();
    write_usage(m, usage_);
    const auto& tier = e.service_tier ? e.service_tier : head_.service_tier;
    if (tier) m.key("serviceTier").begin_object().member("type", *tier).end_object();
    extras(m, e, false);
    m.end_object();
    send("metadata", last);
  }

  // Unknown members of the whole answer: what the model itself adds stands at the stop.
  void extras(json::Writer& w, const End& end, bool at_stop) const {
    for (const Extras* all : {&head_.extras, &end.extras}) {
      for (const Extra& x : all->members) {
        const bool plain = all->origin == self && !x.key.contains('\x1f');
        if (plain && (x.key == "additionalModelResponseFields") == at_stop) w.member_raw(x.key, x.raw);
      }
    }
  }

  std::string exchange_id_;
  std::string* out_ = nullptr;
  Reply head_;
  Usage usage_;
  Stop stop_;
  bool begun_ = false, failed_ = false;

  Open open_ = Open::none;
  Part part_;
  std::string grown_;       // of a held block
  bool spoken_ = false;     // a delta of the block is out
  std::int64_t index_ = 0;  // of the block that is open or comes next
  std::size_t calls_ = 0;
};

}  // namespace

std::unique_ptr<StreamWriter> stream_writer(const Question& question) {
  return std::make_unique<Writer>(question);
}

}  // namespace sluice::bedrock_converse
