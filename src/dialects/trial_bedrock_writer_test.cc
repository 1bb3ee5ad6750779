// Bedrock Converse, written: a stream of binary events. Only for the trial of the contracts (trial_test.h).
// SPDX-License-Identifier: MIT
#include <initializer_list>
#include <utility>

#include "dialects/seal_envelope.h"
#include "dialects/trial_test.h"
#include "wire/aws_eventstream.h"

namespace sluice::trial {
namespace {

constexpr DialectId self = DialectId::bedrock_converse;

class Writer final : public StreamWriter {
 public:
  void write(const Event& event, std::string& out) override {
    out_ = &out;
    std::visit([&](const auto& e) { on(e); }, event);
  }
  void keep_alive(std::string&) override {}
  [[nodiscard]] std::string_view content_type() const override { return bedrock().content_type; }

 private:
  void send(std::string_view type, const std::string& payload) {
    if (!aws_eventstream::append_event(*out_, type, payload)) {
      on(Failed{.error = {.message = "An event is too large for this form."}});
    }
  }
  void delta(std::string_view kind, const std::string& value) {
    send("contentBlockDelta", R"({"contentBlockIndex":)" + std::to_string(index_) + R"(,"delta":{")" +
                                  std::string(kind) + "\":" + value + "}}");
  }
  void start(const std::string& block) {
    send("contentBlockStart", R"({"contentBlockIndex":)" + std::to_string(index_) + R"(,"start":)" + block + '}');
  }

  void on(const Begin& e) {
    // What the head of a whole reply says stands at the end here.
    late_ = {.extras = e.reply.extras, .service_tier = e.reply.service_tier};
    send("messageStart", R"({"role":"assistant"})");
  }
  void on(const BlockStart& e) {
    part_ = e.part;
    skipped_ = false;
    grown_ = false;
    if (const auto* call = e.part.as<ToolCall>()) {
      std::string more;
      for (const Extra& x : e.part.extras.members) {
        if (e.part.extras.origin == self) more += ',' + json::quoted(x.key) + ':' + x.raw;
      }
      start(R"({"toolUse":{"toolUseId":)" + json::quoted(call->id) + ",\"name\":" + json::quoted(call->name) + more +
            "}}");
    } else if (const auto* tool = e.part.as<ServerTool>(); tool && tool->origin == self) {
      whole(tool->raw);
    } else {
      const bool said = part_.as<Text>() || part_.as<Refusal>() || part_.as<Reasoning>();
      skipped_ = !said;  // what this form cannot say at all
    }
  }
  // Its start holds everything but what grows.
  void whole(const std::string& raw) {
    json::Document doc;
    const auto root = doc.parse(raw);
    if (!root) return;
    const bool call = (*root)["toolUse"].is_object();
    const json::Edit bare{.op = json::Edit::Op::drop, .pointer = call ? "/toolUse/input" : "/toolResult/content"};
    start(json::apply(raw, std::span(&bare, 1)).value_or(raw));
    if (call) {
      delta("toolUse", "{\"input\":" + json::quoted((*root)["toolUse"]["input"].raw()) + '}');
    } else {
      delta("toolResult", std::string((*root)["toolResult"]["content"].raw()));
    }
  }
  void on(const Delta& e) {
    if (skipped_) return;
    grown_ = true;
    const std::string text = json::quoted(e.text);
    if (part_.as<ToolCall>()) return delta("toolUse", "{\"input\":" + text + '}');
    if (part_.as<Reasoning>()) return delta("reasoningContent", "{\"text\":" + text + '}');
    delta("text", text);
  }
  void on(const CitationSeen& e) {
    cited_ = true;
    if (e.citation.origin == self) return delta("citation", e.citation.raw);
    const std::string web = R"({"location":{"web":{"url":)" + json::quoted(e.citation.url) + "}}";
    if (!e.citation.url.empty()) delta("citation", web + ",\"title\":" + json::quoted(e.citation.title) + '}');
  }
  void on(const BlockStop& e) {
    if (skipped_) return;
    if (const auto* thought = part_.as<Reasoning>(); thought && e.seal) {
      const std::string proof = json::quoted(seal_text(*e.seal, self));
      delta("reasoningContent", (thought->redacted ? "{\"redactedContent\":" : "{\"signature\":") + proof + '}');
    }
    if (!grown_ && part_.as<Text>() && !cited_) delta("text", "\"\"");  // without a start, only a delta tells it
    cited_ = false;
    send("contentBlockStop", R"({"contentBlockIndex":)" + std::to_string(index_++) + '}');
  }
  void on(const UsageSeen& e) { usage_ = e.usage; }
  void on(const Finish& e) { stop_ = e.stop; }
  void on(const End& e) {
    std::string word = stop_.origin == self ? stop_.raw : "";
    if (word.empty()) word = stop_.kind == StopKind::tool_calls ? "tool_use" : "end_turn";
    if (stop_.origin != self && stop_.kind == StopKind::length) word = "max_tokens";
    if (stop_.origin != self && stop_.kind == StopKind::content_filter) word = "content_filtered";
    std::string stop = "{\"stopReason\":" + json::quoted(word);
    std::string last = "{\"usage\":";
    last += usage_.origin == self ? usage_.raw : usage();
    for (const Extras* extras : std::initializer_list<const Extras*>{&late_.extras, &e.extras}) {
      for (const Extra& x : extras->members) {
        const bool at_stop = x.key == "additionalModelResponseFields";
        if (extras->origin == self) (at_stop ? stop : last) += ',' + json::quoted(x.key) + ':' + x.raw;
      }
    }
    const auto& tier = e.service_tier ? e.service_tier : late_.service_tier;
    if (tier) last += R"(,"serviceTier":{"type":)" + json::quoted(*tier) + '}';
    send("messageStop", stop + '}');
    send("metadata", last + '}');
  }
  [[nodiscard]] std::string usage() const {
    const std::int64_t in = usage_.input.value_or(0) + usage_.tool_input.value_or(0);
    return R"({"inputTokens":)" + std::to_string(in) + R"(,"outputTokens":)" + std::to_string(usage_.total_output()) +
           R"(,"totalTokens":)" + std::to_string(usage_.total_input() + usage_.total_output()) +
           R"(,"cacheReadInputTokens":)" + std::to_string(usage_.cache_read.value_or(0)) +
           R"(,"cacheWriteInputTokens":)" +
           std::to_string(usage_.cache_write_5m.value_or(0) + usage_.cache_write_1h.value_or(0)) + '}';
  }
  void on(const Failed& e) {
    const std::string_view name =
        e.error.fault == Fault::upstream_limited ? "throttlingException" : "modelStreamErrorException";
    (void)aws_eventstream::append_exception(*out_, name, "{\"message\":" + json::quoted(e.error.message) + '}');
  }
  void on(const Ping&) {}
  void on(const OpaqueEvent& e) {
    if (e.origin == self) send(e.type, e.raw);
  }

  std::string* out_ = nullptr;
  std::int64_t index_ = 0;
  Part part_;
  bool skipped_ = false, grown_ = false, cited_ = false;
  Usage usage_;
  Stop stop_;
  End late_;
};

}  // namespace

std::unique_ptr<StreamWriter> bedrock_stream_writer(const Question&) {
  return std::make_unique<Writer>();
}

}  // namespace sluice::trial
