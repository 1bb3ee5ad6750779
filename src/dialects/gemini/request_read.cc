// A client's body -> the conversation. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "dialects/gemini/codec.h"
#include "dialects/gemini/names.h"
#include "dialects/gemini/parts.h"
#include "dialects/gemini/settings.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

std::unexpected<Failure> wrong(std::string message, std::string param) {
  Error error{.fault = Fault::bad_request, .message = std::move(message)};
  error.param = std::move(param);
  return fail(std::move(error));
}

// Calls and results without ids belong together by name and order (protocols: Gemini, section 5).
class Pairing {
 public:
  void call(ToolCall& call, std::size_t turn) {
    if (call.id.empty()) call.id = history_tool_id("call_", turn, calls_.size(), call.name);
    calls_.push_back({call.id, call.name});
  }
  void result(ToolResult& result) {
    Call* found = nullptr;
    for (Call& call : calls_) {
      if (call.answered) continue;
      if (result.call_id.empty() ? call.name == result.name : call.id == result.call_id) {
        found = &call;
        break;
      }
    }
    if (found != nullptr) {
      found->answered = true;
      result.call_id = found->id;
    }
  }

 private:
  struct Call {
    std::string id, name;
    bool answered = false;
  };
  std::vector<Call> calls_;
};

std::string place_of(std::size_t turn, std::size_t part) {
  return std::to_string(turn) + "/parts/" + std::to_string(part);
}

// A stream's thought comes back in the pieces that it was heard in, its proof on the last one. Another vendor's proof
// is of the whole thought. Parts that moved remember where they stood: `turn` is their Content's number.
void join_thoughts(std::vector<Part>& parts, std::size_t turn) {
  const auto piece = [](const Part& part) {
    const auto* thought = part.as<Reasoning>();
    return thought != nullptr && !thought->redacted && std::ranges::all_of(part.extras.members, is_memory);
  };
  const auto proven = [&](const Part& part) { return piece(part) && part.seal && part.seal->dialect != self; };
  if (std::ranges::none_of(parts, proven)) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Part part = std::move(parts[i]);
    if (proven(part)) {
      std::size_t first = kept;
      while (first > 0 && piece(parts[first - 1]) && !parts[first - 1].seal) --first;
      std::string whole;
      for (std::size_t p = first; p < kept; ++p) whole += parts[p].as<Reasoning>()->text;
      part.as<Reasoning>()->text.insert(0, whole);
      kept = first;
    }
    if (kept != i && remembered(part.extras, self, "at").empty()) remember(part.extras, self, "at", place_of(turn, i));
    parts[kept++] = std::move(part);
  }
  parts.resize(kept);
}

class Reading {
 public:
  explicit Reading(ChatRequest& out) : out_(out) {}

  Result<void> run(json::Value root) {
    json::Value contents, tools, tool_config, generation, system;
    for (const auto [key, value] : root.members()) {
      if (value.is_null()) continue;
      if (key == "contents") {
        contents = value;
      } else if (is_name(key, "systemInstruction")) {
        system = value;
      } else if (key == "tools") {
        tools = value;
      } else if (is_name(key, "toolConfig")) {
        tool_config = value;
      } else if (is_name(key, "generationConfig")) {
        generation = value;
      } else if (is_name(key, "safetySettings")) {
        out_.safety = RawJson(value.raw());
      } else if (is_name(key, "serviceTier") && value.is_string()) {
        out_.service_tier = lower(value.text());
      } else if (key == "labels" && value.is_object()) {
        out_.metadata = RawJson(value.raw());
      } else if (key == "model" && value.is_string()) {
        if (out_.model.empty()) out_.model = std::string(bare_model(value.text()));
      } else if (is_name(key, "generateContentRequest")) {
        // the body of a count; its own members were put in its place
      } else {
        out_.extras.add(self, to_camel(key), value.raw());
      }
    }
    if (system) TRY_VOID(read_system(system));
    TRY_VOID(read_contents(contents));
    TRY_VOID(read_tools(tools, out_));
    TRY_VOID(read_tool_config(tool_config, out_));
    return read_generation(generation, out_);
  }

 private:
  // The role that stands there says nothing. A bare string is what some clients send.
  Result<void> read_system(json::Value system) {
    Turn turn{.role = Role::system};
    if (system.is_string()) {
      turn.parts.push_back(Part{.body = Text{.text = system.text()}});
    } else if (system.is_object()) {
      TRY_VOID(read_content(system, turn, "systemInstruction"));
    } else {
      return wrong("Invalid value at 'system_instruction'", "systemInstruction");
    }
    if (!turn.parts.empty() || !turn.extras.empty()) out_.turns.push_back(std::move(turn));
    return {};
  }

  Result<void> read_contents(json::Value contents) {
    const std::size_t first = out_.turns.size();
    TRY_VOID(read_turns(contents));
    for (std::size_t t = 0; t < places_.size(); ++t) join_thoughts(out_.turns[first + t].parts, places_[t]);
    return {};
  }

  Result<void> read_turns(json::Value contents) {
    if (contents.is_object()) return read_turn(contents, 0);
    if (!contents.is_array() || contents.size() == 0) {
      return wrong("* GenerateContentRequest.contents: contents is not specified\n", "contents");
    }
    out_.turns.reserve(out_.turns.size() + contents.size());
    std::size_t index = 0;
    for (const json::Value content : contents.elements()) TRY_VOID(read_turn(content, index++));
    return {};
  }

  Result<void> read_turn(json::Value content, std::size_t index) {
    const std::string place = "contents[" + std::to_string(index) + "]";
    if (!content.is_object()) return wrong("Invalid value at '" + place + "'", "contents");
    Turn turn{.role = Role::user};
    std::string scratch;
    const std::string_view role = content["role"].view(scratch);
    if (role == "model") {
      turn.role = Role::assistant;
    } else if (role == "function" || role == "tool") {
      turn.role = Role::tool;
    } else if (role == "system") {
      turn.role = Role::system;
    } else if (!role.empty() && role != "user") {
      return wrong("Please use a valid role: user, model.", place + ".role");
    }
    TRY_VOID(read_content(content, turn, place));
    const std::size_t at = out_.turns.size();
    for (Part& part : turn.parts) {
      if (auto* call = part.as<ToolCall>()) pairing_.call(*call, at);
      if (auto* result = part.as<ToolResult>()) pairing_.result(*result);
    }
    place_turn(std::move(turn), index);
    return {};
  }

  // Google's clients keep what a stream brought as one Content for each chunk: together they are the model's turn.
  void place_turn(Turn turn, std::size_t index) {
    const bool goes_on = turn.role == Role::assistant && !places_.empty() && turn.extras.empty() &&
                         out_.turns.back().role == Role::assistant &&
                         std::ranges::all_of(out_.turns.back().extras.members, is_memory);
    if (!goes_on) {
      if (places_.size() != index) remember(turn.extras, self, "at", std::to_string(index));
      places_.push_back(index);
      out_.turns.push_back(std::move(turn));
      return;
    }
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      remember(turn.parts[i].extras, self, "at", place_of(index, i));
      out_.turns.back().parts.push_back(std::move(turn.parts[i]));
    }
  }

  static Result<void> read_content(json::Value content, Turn& turn, const std::string& place) {
    for (const auto [key, value] : content.members()) {
      if (key == "role" || value.is_null()) continue;
      if (key != "parts") {
        turn.extras.add(self, key, value.raw());
      } else if (auto read = read_parts(value, turn.parts); !read) {
        return wrong("Invalid value at '" + place + ".parts': " + read.error()->message, place + ".parts");
      }
    }
    return {};
  }

  ChatRequest& out_;
  Pairing pairing_;
  std::vector<std::size_t> places_;  // of the turns among the contents: the number of the first Content of each
};

}  // namespace

Result<ChatRequest> read_request(const Asked& asked, Notes&) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(asked.body, asked.utf8));
  if (!root.is_object()) return wrong("Invalid JSON payload received. Root element must be a message.", "");
  ChatRequest out{.origin = self, .model = std::string(bare_model(asked.path_model)), .stream = asked.path_streams};
  const json::Value counted = field(root, "generateContentRequest");
  TRY_VOID(Reading(out).run(counted.is_object() ? counted : root));
  return out;
}

}  // namespace sluice::gemini
