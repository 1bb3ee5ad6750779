// A client that takes nothing on trust, and the few words that tests of this dialect's answers share.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/laws.h"
#include "dialects/openai_responses/openai_responses.h"
#include "model/fold.h"

namespace sluice::openai_responses::trial {

inline const Question question{.model = "smart", .exchange_id = "exchange-1", .unix_seconds = 1700000000};

inline std::string written(const std::vector<Event>& events, const Question& to = question) {
  const auto writer = stream_writer(to);
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

inline std::vector<Event> read(std::string_view stream) {
  return laws::read_stream(dialect(), "text/event-stream", {stream});
}

inline Result<Reply> folded(const std::vector<Event>& events) {
  Fold fold;
  for (const Event& event : events) fold.add(event);
  return fold.take();
}

inline std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

inline std::string frame(std::string_view data) {
  return "data: " + json::compact(data) + "\n\n";
}

inline const std::string created =

    frame(R"({"type":"response.created","response":{"id":"r","model":"m","status":"in_progress","output":[]}})");

// A client that takes nothing on trust: every event in its place, under the name of its item, numbered without a gap;
// what the deltas say is what is done, and the last response holds what was done.
class Strict {
 public:
  // The first breach, or empty.
  std::string take(std::string_view stream) {
    const auto framer = dialect().framer("text/event-stream");
    framer->feed(stream);
    for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
      if ((*frame)->comment) continue;
      json::Document doc;
      const auto root = doc.parse((*frame)->data);
      if (!root) return "an event that is no JSON";
      if (!(*root)["type"].equals((*frame)->event)) return "an event under another name";
      if (ended_) return "an event behind the end";
      if ((*root)["sequence_number"].integer() != sequence_++) return "a number out of order";
      if (auto breach = event((*root)["type"].text(), *root); !breach.empty()) {
        return breach + " in " + std::string((*frame)->data.substr(0, 200));
      }
    }
    return ended_ ? "" : "no end";
  }

  std::string final_status;

 private:
  using Value = json::Value;

  std::string event(const std::string& type, Value root) {
    if (type == "response.created" || type == "response.in_progress") {
      if (root["response"]["output"].size() != 0 || !root["response"]["status"].equals("in_progress")) {
        return "a beginning that has gone on";
      }
      return "";
    }
    if (type == "response.output_item.added") return added(root);
    if (type == "response.completed" || type == "response.incomplete" || type == "response.failed") {
      return end(type, root["response"]);
    }
    if (type == "error") {
      ended_ = true;
      return "";
    }
    if (!open_ || root["output_index"].integer() != done_count_) return "an event outside its item";
    if (type == "response.output_item.done") return done(root["item"]);
    if (root["item_id"] && root["item_id"].text() != id_) return "an event under the name of another item";
    if (type.ends_with("_part.added")) {
      part_ = key(root);
      if (root[root["summary_index"] ? "summary_index" : "content_index"].integer() != parts_[part_[0]]++) {
        return "a part out of order";
      }
      text_.clear();
      return "";
    }
    if (type.ends_with("annotation.added")) return part_ == key(root) ? "" : "a citation outside its part";
    const bool of_part = root["content_index"] || root["summary_index"];
    if (of_part && part_ != key(root)) return "text outside its part";
    if (type.ends_with(".delta")) {
      text_ += root["delta"].text();
      return "";
    }
    if (type.ends_with("_part.done")) {
      const Value part = root["part"];
      const std::string said = part[part["type"].equals("refusal") ? "refusal" : "text"].text();
      part_.clear();
      return said == text_ ? "" : "a part that is not its deltas";
    }
    for (const std::string_view member : {"text", "refusal", "arguments", "input"}) {
      if (type.ends_with(".done") && root[member].is_string() && root[member].text() != text_) {
        return "an end that is not its deltas";
      }
    }
    return "";
  }

  static std::string key(Value root) {
    return root["summary_index"] ? "s" + std::string(root["summary_index"].raw())
                                 : "c" + std::string(root["content_index"].raw());
  }

  std::string added(Value root) {
    if (open_) return "an item inside an item";
    if (root["output_index"].integer() != done_count_) return "an item out of order";
    open_ = true;
    id_ = root["item"]["id"].text();
    parts_.clear();
    text_.clear();
    if (id_.empty()) return "an item without a name";
    return "";
  }

  std::string done(Value item) {
    if (item["id"].text() != id_) return "an item that changed its name";
    if (!part_.empty()) return "an item that ended inside a part";
    std::size_t parts = item["content"].size() + item["summary"].size();
    if (!item["type"].equals("message") && !item["type"].equals("reasoning")) parts = 0;
    if (static_cast<std::int64_t>(parts) != parts_['c'] + parts_['s'])
      return "an item with parts that nobody announced";
    items_ += (items_.empty() ? "" : ",") + std::string(item.raw());
    ++done_count_;
    open_ = false;
    return "";
  }

  std::string end(const std::string& type, Value response) {
    ended_ = true;
    final_status = response["status"].text();
    if (open_) return "an end inside an item";
    // An upstream's own word goes through: "queued", and what one service says for completed.
    const bool foreign_word = final_status == "queued" || final_status == "complete";
    if (type != "response." + final_status && !foreign_word) return "a status that is another";
    if (const auto differs = json::difference('[' + items_ + ']', response["output"].raw()); !differs.empty()) {
      return "an output that is not its items: " + differs;
    }
    return "";
  }

  std::int64_t sequence_ = 0, done_count_ = 0;
  bool ended_ = false, open_ = false;
  std::string id_, part_, text_, items_;
  std::map<char, std::int64_t> parts_;
};

}  // namespace sluice::openai_responses::trial
