// How one API dialect is spoken, as far as the benchmark needs it: requests as real clients send them, replies as the
// vendor's, and how to see that a reply is whole. One header per dialect (manner_*.h), one line in manners.h; a pair of
// dialects is a row of rows.py. Text only, no sockets. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "steer.h"

namespace bench {

struct Prompt {
  std::string model = "mock";
  std::string key;
  std::string host;
  std::size_t bytes = 1024;  // of the body, about
  unsigned calls = 0;        // tool calls in the conversation, each with a question before it and an answer behind
  bool stream = false;
  bool usage = true;         // a stream's client asks for the usage, so that both proxies move the same upstream bytes
  bool sdk_headers = false;  // what openai-python sends besides the necessary
};

// One request as far as the mock reads it.
struct Ask {
  bool stream = false;
  bool usage = false;  // stream_options.include_usage
  std::string model;
  Steering steer;
  Tag tag{};
};

struct Seen {
  bool finished = false, ended = false;  // the dialect's stop reason; its last frame
};

inline constexpr std::string_view system_text = "You are a helpful assistant. Answer in plain words.";
inline constexpr std::string_view tool_name = "look_up_river";
inline constexpr std::string_view tool_description = "Length and basin of a river, by its name.";
inline constexpr std::string_view tool_schema =
    R"({"type":"object","properties":{"river":{"type":"string","description":"Its name"}},"required":["river"]})";
inline constexpr std::string_view tool_arguments = R"({"river":"Rhine"})";

class Manner {
 public:
  constexpr explicit Manner(std::string_view name, std::string_view family) : name_(name), family_(family) {}
  virtual ~Manner() = default;
  [[nodiscard]] std::string_view name() const { return name_; }      // of the dialect
  [[nodiscard]] std::string_view family() const { return family_; }  // what its models' names begin with

  // The request's head: path, and the header that carries the key.
  [[nodiscard]] virtual std::string path(const Prompt& prompt) const = 0;
  [[nodiscard]] virtual std::string_view key_field() const { return "Authorization"; }
  [[nodiscard]] virtual std::string_view more_fields() const { return ""; }
  // Its body: everything up to the first turn, turns with a comma behind each but the last, and the rest. Texts are
  // the insides of JSON strings. Messages stand first, as the vendors' Python SDKs print them.
  [[nodiscard]] virtual std::string begin() const = 0;
  [[nodiscard]] virtual std::string say(bool user, std::string_view text) const = 0;
  [[nodiscard]] virtual std::string call(std::string_view id) const = 0;
  [[nodiscard]] virtual std::string give(std::string_view id, std::string_view text) const = 0;
  [[nodiscard]] virtual std::string end(const Prompt& prompt) const = 0;

  // Is a request to this path one of this dialect?
  [[nodiscard]] virtual bool takes(std::string_view path) const = 0;
  // What the vendor would refuse; "" = nothing.
  [[nodiscard]] virtual std::string_view fault(std::string_view /*path*/, std::string_view /*head*/,
                                               std::string_view /*body*/) const {
    return "";
  }
  // Model and stream, where they do not stand in the body as in OpenAI's.
  virtual bool read_path(std::string_view /*path*/, Ask& /*ask*/) const { return false; }

  [[nodiscard]] virtual std::string whole(const Ask& ask, std::string_view text) const = 0;
  [[nodiscard]] virtual std::string refusal(std::string_view message) const {
    return R"({"error":{"message":")" + std::string(message) +
           R"(","type":"invalid_request_error","param":null,"code":null}})";
  }
  // Appends paced event `number` (from 1) of a stream. An "event" is one text delta; the frames around it ride with the
  // first and the last. A manner that does not stream refuses it.
  [[nodiscard]] virtual bool streams() const { return false; }
  virtual void event(std::string& /*out*/, const Ask& /*ask*/, bool /*first*/, bool /*last*/) const {}

  // Whether a whole reply has its stop reason and its token counts.
  [[nodiscard]] virtual bool counted(std::string_view reply) const = 0;
  // Looks at one data line of a stream.
  virtual void watch(std::string_view /*line*/, Seen& /*seen*/) const {}

 private:
  std::string_view name_, family_;
};

// The text of a top-level-looking member, "" if absent. Good enough for bodies whose prompts hold no such member; looks
// first where it mostly stands, behind the messages.
inline std::string_view member(std::string_view body, std::string_view quoted_name) {
  if (body.size() > 4096) {
    const auto late = member(body.substr(body.size() - 2048), quoted_name);
    if (!late.empty()) return late;
  }
  const auto found = body.find(quoted_name);
  if (found == body.npos) return {};
  auto rest = body.substr(found + quoted_name.size());
  while (!rest.empty() && (rest[0] == ' ' || rest[0] == ':')) rest.remove_prefix(1);
  if (rest.starts_with('"')) return rest.substr(1, rest.find('"', 1) - 1);
  return rest.substr(0, rest.find_first_of(",}"));
}

inline std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

// JSON text as the inside of a JSON string.
inline std::string inside(std::string_view json) {
  std::string out;
  for (const char c : json) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// " at=TIME tag=XXXXXXXX ", the text of one event.
inline void append_text(std::string& out, const Ask& ask) {
  out.append(" ").append(stamp_name).append(std::to_string(now_ns())).append(" ");
  out.append(tag_name).append(ask.tag.data(), ask.tag.size()).append(" ");
}

}  // namespace bench
