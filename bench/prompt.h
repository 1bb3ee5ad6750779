// Requests as real clients send them: a chat of several turns of the wished size, with tool calls if wished, in each
// dialect's own shape. Text only, no sockets. SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "manner.h"

namespace bench {

// A request in two pieces; the eight bytes of the tag go between them.
struct Request {
  std::string before, after;
  [[nodiscard]] std::size_t size() const { return before.size() + tag_size + after.size(); }
};

inline constexpr std::array<std::string_view, 4> chatter = {
    R"(Tell me about rivers, \"lakes\" and the sea.\nBe brief, and name three examples of each.)",
    R"(Rivers carry rain to the sea: the Rhine, the Paraná, the Yangtze (长江).\n\n- Lakes: Baikal, Victoria, Titicaca.\n)"
    R"(- Seas: the Baltic, the Black Sea, the Coral Sea.\n\nEach of them is known for its depth, its length or its life.)",
    R"(Now write it as code, please:\n```python\nrivers = {\"Rhine\": 1233, \"Yangtze\": 6300}\n)"
    R"(for name, km in rivers.items():\n    print(f\"{name:>10} {km:5d} km\")\n```\nand explain why `items()` is used.)",
    R"(`items()` gives pairs of key and value, so that the loop needs no second look-up. The table is then printed with )"
    R"(the names right-aligned in ten columns and the numbers in five. A dictionary keeps the order of insertion.)"};

// `bytes` of chatter and a little more.
inline std::string long_text(std::size_t bytes, std::size_t from) {
  std::string out;
  for (std::size_t i = from; out.size() < bytes; ++i) out.append(chatter[i % chatter.size()]).append(" ");
  return out;
}

// The turns before the last question, each with a comma behind it.
inline std::string turns(const Manner& manner, const Prompt& prompt, std::size_t room) {
  std::string out;
  if (prompt.calls > 0) {
    // Four turns a call: a question, the call, what the tool returned, an answer.
    const std::size_t each = room / (prompt.calls * 3) - std::min<std::size_t>(room / (prompt.calls * 3), 200);
    for (unsigned i = 0; i < prompt.calls; ++i) {
      const std::string id = "call_" + std::to_string(10000 + i);
      out += manner.say(true, long_text(each, i)) + "," + manner.call(id) + ",";
      out += manner.give(id, long_text(each, i + 1)) + "," + manner.say(false, long_text(each, i + 2)) + ",";
    }
    return out;
  }
  for (std::size_t i = 0;; i = (i + 2) % chatter.size()) {
    const auto pair = manner.say(true, chatter[i]) + "," + manner.say(false, chatter[i + 1]) + ",";
    if (out.size() + pair.size() + 150 > room) return out;
    out += pair;
  }
}

// The body in two pieces.
inline Request make_body(const Manner& manner, const Prompt& prompt) {
  const std::string tail = manner.end(prompt);
  std::string body = manner.begin();
  const std::size_t fixed = body.size() + tail.size();
  body += turns(manner, prompt, prompt.bytes - std::min(prompt.bytes, fixed));
  const std::string ask = manner.say(true, "Thank you. And the highest mountain? tag=@ END-OF-PROMPT");
  const auto at = ask.find('@');
  const std::size_t short_of = body.size() + ask.size() + tail.size() + tag_size;
  const std::string padding(short_of < prompt.bytes ? prompt.bytes - short_of : 0, '.');
  const auto from = ask.find(" tag=");
  return {.before = body + ask.substr(0, from) + padding + ask.substr(from, at - from),
          .after = ask.substr(at + 1) + tail};
}

inline Request make_request(const Manner& manner, const Prompt& prompt) {
  Request body = make_body(manner, prompt);
  std::string head = "POST " + manner.path(prompt) + " HTTP/1.1\r\nHost: " + prompt.host + "\r\n";
  if (prompt.sdk_headers) {
    head +=
        "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nAccept: application/json\r\n"
        "Content-Type: application/json\r\nUser-Agent: OpenAI/Python 2.8.1\r\nX-Stainless-Lang: python\r\n"
        "X-Stainless-Package-Version: 2.8.1\r\nX-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\n"
        "X-Stainless-Runtime: CPython\r\nX-Stainless-Runtime-Version: 3.11.2\r\nX-Stainless-Async: false\r\n"
        "x-stainless-retry-count: 0\r\nx-stainless-read-timeout: 600\r\n";
  } else {
    head += "User-Agent: bench/1\r\nAccept: */*\r\nContent-Type: application/json\r\n";
  }
  head.append(manner.key_field()).append(manner.key_field() == "Authorization" ? ": Bearer " : ": ");
  head.append(prompt.key).append("\r\n").append(manner.more_fields());
  head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return {.before = head + body.before, .after = body.after};
}

// What a whole reply says.
inline std::string reply_text(const Ask& ask) {
  std::string text;
  text.reserve(ask.steer.text + 64);
  while (text.size() < ask.steer.text) text += "The quick brown fox jumps over the lazy dog. ";
  return text.append(tag_name).append(ask.tag.data(), ask.tag.size()).append(" ").append(reply_end);
}

}  // namespace bench
