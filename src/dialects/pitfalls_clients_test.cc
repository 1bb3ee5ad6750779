// Clients that take nothing on trust (docs/pitfalls.md): every answer of every vendor, spoken in their dialect, must be
// a stream that the strictest SDK follows. The one of Responses stands beside its dialect.
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "dialects/pitfalls_test.h"

namespace sluice::pitfalls {
namespace {

using json::Value;

// Feeds the data of each event to `take`, which returns a breach or nothing; the first breach.
class Client {
 public:
  virtual ~Client() = default;
  std::string follow(const Dialect& dialect, std::string_view bytes) {
    const auto framer = dialect.framer("text/event-stream");
    framer->feed(bytes);
    for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
      if ((*frame)->comment) continue;
      if (over_) return "an event behind the end";
      std::string breach;
      if ((*frame)->data == "[DONE]") {
        breach = done();
      } else {
        json::Document doc;
        const auto root = doc.parse((*frame)->data);
        breach = root ? take(*root, (*frame)->event) : "an event that is no JSON";
      }
      if (!breach.empty()) return breach + " in " + std::string((*frame)->data.substr(0, 300));
    }
    return over_ ? "" : "no end";
  }

 protected:
  virtual std::string take(Value root, std::string_view name) = 0;
  virtual std::string done() { return "[DONE] means nothing here"; }
  bool over_ = false;
};

// --- Messages: blocks numbered without a gap, each opened once, filled by its own kind of delta, closed once.
class Messages final : public Client {
  std::string take(Value root, std::string_view name) override {
    const std::string type = root["type"].text();
    if (type != name) return "an event under another name";
    if (type == "ping") return "";
    if (type == "error") return end(root["error"]["type"].text().empty() ? "an error without a type" : "");
    if (type == "message_start") {
      if (std::exchange(begun_, true)) return "a second beginning";
      return root["message"]["content"].size() == 0 && root["message"]["usage"].is_object() ? "" : "a begun message";
    }
    if (!begun_) return "an event before the beginning";
    if (type == "content_block_start") return start(root);
    if (type == "content_block_delta") return delta(root["index"], root["delta"]);
    if (type == "content_block_stop") return stop(root["index"]);
    if (open_) return "an end inside a block";
    if (type == "message_delta") {
      if (std::exchange(told_, true)) return "a second reason to stop";
      // An answer that met its limit may end inside a call, which nobody runs then.
      if (cut_ && root["delta"]["stop_reason"].equals("tool_use")) return "an input that is no object";
      return root["delta"]["stop_reason"].is_string() && root["usage"]["output_tokens"] ? ""
                                                                                        : "a delta without a reason";
    }
    if (type == "message_stop") return end(told_ ? "" : "an end without a reason");
    return "";  // what is new is left aside
  }
  std::string start(Value root) {
    if (open_ || told_) return "a block inside a block";
    if (root["index"].integer() != next_) return "a block out of order";
    open_ = true;
    signed_ = false;
    input_.clear();
    const Value block = root["content_block"];
    type_ = block["type"].text();
    if (type_ == "tool_use" && (block["input"].raw() != "{}" || block["id"].text().empty()))
      return "a call begun oddly";
    filled_ = type_ != "text";
    return "";
  }
  std::string delta(Value index, Value delta) {
    if (!open_ || index.integer() != next_) return "a delta outside its block";
    const std::string kind = delta["type"].text();
    const std::map<std::string, std::set<std::string>> own = {{"text", {"text_delta", "citations_delta"}},
                                                              {"thinking", {"thinking_delta", "signature_delta"}},
                                                              {"tool_use", {"input_json_delta"}},
                                                              {"server_tool_use", {"input_json_delta"}}};
    const auto kinds = own.find(type_);
    if (kinds == own.end() || !kinds->second.contains(kind)) return "a delta of another kind of block";
    if (std::exchange(signed_, kind == "signature_delta")) return "something behind a signature";
    if (!delta["text"].text().empty()) filled_ = true;
    input_ += delta["partial_json"].text();
    return "";
  }
  std::string stop(Value index) {
    if (!std::exchange(open_, false) || index.integer() != next_++) return "an end of no open block";
    if (!filled_) return "an empty text";
    json::Document doc;
    const auto input = doc.parse(input_);
    cut_ = cut_ || (type_ == "tool_use" && !input_.empty() && (!input || !input->is_object()));
    return "";
  }
  std::string end(std::string breach) {
    over_ = true;
    return breach;
  }

  bool begun_ = false, told_ = false, open_ = false, signed_ = false, filled_ = false, cut_ = false;
  std::int64_t next_ = 0;
  std::string type_, input_;
};

// --- Chat: every call has its index from the first delta on, ids and names come once, arguments add up to an object.
class Chat final : public Client {
  std::string take(Value root, std::string_view) override {
    if (root["error"]) return end(root["error"]["message"].is_string() ? "" : "an error without words");
    if (!root["object"].equals("chat.completion.chunk") || !root["choices"].is_array()) return "no chunk";
    if (root["id"].text().empty() || root["model"].is_null()) return "a chunk without its head";
    for (const Value one : root["choices"].elements()) {
      if (auto breach = choice(one); !breach.empty()) return breach;
    }
    return "";
  }
  std::string choice(Value one) {
    if (!one["index"].integer() || !one["delta"].is_object()) return "a choice without index or delta";
    Answer& answer = answers_[*one["index"].integer()];
    if (answer.finished && one["delta"].size() > 0) return "words behind the end";
    for (const Value call : one["delta"]["tool_calls"].elements()) {
      const auto index = call["index"].integer();
      if (!index) return "a call without an index";
      const Value inside = call["custom"] ? call["custom"] : call["function"];
      const auto known = static_cast<std::int64_t>(answer.arguments.size());
      if (*index > known) return "a call out of order";
      if (*index == known) {
        if (call["id"].text().empty() || inside["name"].text().empty()) return "a call without id or name";
        if (!answer.ids.insert(call["id"].text()).second) return "an id of two calls";
        answer.arguments.emplace_back();
      } else if (call["id"].is_string() || inside["name"].is_string()) {
        return "a call that begins twice";
      }
      // Free text is no JSON, and nothing is to be said of it.
      answer.arguments[static_cast<std::size_t>(*index)] += call["custom"] ? "" : inside["arguments"].text();
    }
    if (one["finish_reason"].is_null() || !one["finish_reason"]) return "";
    if (std::exchange(answer.finished, true)) return "a second reason to finish";
    if (!answer.arguments.empty() && one["finish_reason"].equals("stop")) return "calls that nobody waits for";
    for (const std::string& arguments : answer.arguments) {
      json::Document doc;
      const auto object = doc.parse(arguments);
      if (one["finish_reason"].equals("tool_calls") && !arguments.empty() && (!object || !object->is_object())) {
        return "arguments cut short";
      }
    }
    return "";
  }
  std::string done() override {
    for (const auto& [index, answer] : answers_) {
      if (!answer.finished) return "an end without a reason";
    }
    return end("");
  }
  std::string end(std::string breach) {
    over_ = true;
    return breach;
  }

  struct Answer {
    bool finished = false;
    std::vector<std::string> arguments;
    std::set<std::string> ids;
  };
  std::map<std::int64_t, Answer> answers_;
};

// --- Gemini: every chunk is an answer of its own; calls come whole, a reason comes once and last.
class Generate final : public Client {
  std::string take(Value root, std::string_view) override {
    if (root["error"]) {
      ended_ = over_ = true;
      return root["error"]["status"].is_string() ? "" : "an error without a status";
    }
    if (!root["candidates"] && !root["promptFeedback"] && !root["usageMetadata"]) return "a chunk that says nothing";
    for (const Value one : root["candidates"].elements()) {
      const std::int64_t index = one["index"].integer().value_or(0);
      const bool says = one["content"]["parts"].size() > 0;
      if (finished_.contains(index) && says) return "parts behind the end";
      for (const Value part : one["content"]["parts"].elements()) {
        if (auto breach = of_part(part); !breach.empty()) return breach;
      }
      if (one["finishReason"] && !finished_.insert(index).second) return "a second reason to finish";
      if (one["finishReason"].equals("TOOL_CALL")) return "a reason that this vendor has not";
    }
    ended_ |= !finished_.empty() || root["promptFeedback"]["blockReason"].is_string();
    return "";
  }
  static std::string of_part(Value part) {
    int kinds = 0;
    for (const std::string_view kind : {"text", "functionCall", "inlineData", "fileData", "executableCode",
                                        "codeExecutionResult", "functionResponse", "toolCall", "toolResponse"}) {
      kinds += part[kind] ? 1 : 0;
    }
    if (kinds > 1) return "a part of two kinds";
    const Value call = part["functionCall"];
    if (!call) return "";
    if (call["name"].text().empty()) return "a call without a name";
    return !call["args"] || call["args"].is_object() ? "" : "arguments that are no object";
  }

 public:
  // This dialect has no last event: the end of bytes is the end.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  bool ended_ = false;
  std::set<std::int64_t> finished_;
};

// --- Cohere: contents and calls numbered apart, each opened and closed once; one message-end, then [DONE].
class Cohere final : public Client {
  std::string take(Value root, std::string_view name) override {
    const std::string type = root["type"].text();
    if (type != name) return "an event under another name";
    if (type == "message-start") return std::exchange(begun_, true) ? "a second beginning" : "";
    if (!begun_ || told_) return "an event outside the message";
    const auto index = root["index"].integer();
    if (type == "content-start" || type == "tool-call-start") {
      if (!open_.empty()) return "a block inside a block";
      open_ = type.substr(0, type.rfind('-'));
      if (index != next_[open_]) return "a block out of order";
      arguments_.clear();
      return "";
    }
    if (type == "content-delta" || type == "tool-call-delta" || type == "content-end" || type == "tool-call-end") {
      if (type.substr(0, type.rfind('-')) != open_ || index != next_[open_]) return "an event outside its block";
      arguments_ += root["delta"]["message"]["tool_calls"]["function"]["arguments"].text();
      if (!type.ends_with("-end")) return "";
      ++next_[std::exchange(open_, "")];
      return "";
    }
    if (type == "message-end") {
      told_ = true;
      failed_ = root["delta"]["error"].is_string();
      over_ = failed_;
      if (!open_.empty() && !failed_) return "an end inside a block";
      return root["delta"]["finish_reason"].is_string() ? "" : "an end without a reason";
    }
    return "";
  }
  std::string done() override {
    over_ = true;
    return told_ ? "" : "no end of the message";
  }
  bool begun_ = false, told_ = false, failed_ = false;
  std::string open_, arguments_;
  std::map<std::string, std::int64_t> next_;
};

template <class Strict>
void follows_every_answer(DialectId id) {
  const Dialect& client = *dialect(id);
  const int tried = laws::for_every_answer([&](const laws::Sample& sample, const std::vector<Event>& events) {
    if (sample.dialect == &client && sample.recorded) return;  // a vendor's own habits are kept
    EXPECT_EQ(Strict().follow(client, laws::write_stream(client, events)), "") << sample.name;
  });
  EXPECT_GT(tried, 30);
}

TEST(StrictClient, OfMessagesFollowsEveryAnswer) {
  follows_every_answer<Messages>(DialectId::anthropic);
}

TEST(StrictClient, OfChatFollowsEveryAnswer) {
  follows_every_answer<Chat>(DialectId::openai_chat);
}

TEST(StrictClient, OfCohereFollowsEveryAnswer) {
  follows_every_answer<Cohere>(DialectId::cohere);
}

TEST(StrictClient, OfGeminiFollowsEveryAnswer) {
  const Dialect& client = *dialect(DialectId::gemini);
  laws::for_every_answer([&](const laws::Sample& sample, const std::vector<Event>& events) {
    if (sample.dialect == &client) return;
    Generate strict;
    const std::string breach = strict.follow(client, laws::write_stream(client, events));
    EXPECT_TRUE(breach.empty() || breach == "no end") << sample.name << breach;
    EXPECT_TRUE(strict.ended()) << sample.name;
  });
}

}  // namespace
}  // namespace sluice::pitfalls
