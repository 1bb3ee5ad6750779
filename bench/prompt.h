// Requests as real clients send them: a chat of several turns of the wished size, in each dialect's own shape and in
// the order in which the vendors' Python SDKs print it (messages first). Text only, no sockets.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "steer.h"

namespace bench {

struct Prompt {
  Dialect dialect = Dialect::openai;
  std::string model = "mock";
  std::string key;
  std::string host;
  std::size_t bytes = 1024;  // of the body, about
  bool stream = false;
  bool usage = true;         // a stream's client asks for the usage, so that both proxies move the same upstream bytes
  bool sdk_headers = false;  // what openai-python sends besides the necessary
};

// A request in two pieces; the eight bytes of the tag go between them.
struct Request {
  std::string before, after;
  [[nodiscard]] std::size_t size() const { return before.size() + tag_size + after.size(); }
};

inline std::string quoted_turn(Dialect dialect, std::string_view role, std::string_view text) {
  const std::string said(text);
  if (dialect == Dialect::gemini) {
    return R"({"role":")" + std::string(role == "user" ? "user" : "model") + R"(","parts":[{"text":")" + said +
           R"("}]})";
  }
  return R"({"role":")" + std::string(role) + R"(","content":")" + said + R"("})";
}

inline Request make_request(const Prompt& prompt) {
  static constexpr std::array<std::string_view, 4> turns = {
      R"(Tell me about rivers, \"lakes\" and the sea.\nBe brief, and name three examples of each.)",
      R"(Rivers carry rain to the sea: the Rhine, the Paraná, the Yangtze (长江).\n\n- Lakes: Baikal, Victoria, Titicaca.\n)"
      R"(- Seas: the Baltic, the Black Sea, the Coral Sea.\n\nEach of them is known for its depth, its length or its life.)",
      R"(Now write it as code, please:\n```python\nrivers = {\"Rhine\": 1233, \"Yangtze\": 6300}\n)"
      R"(for name, km in rivers.items():\n    print(f\"{name:>10} {km:5d} km\")\n```\nand explain why `items()` is used.)",
      R"(`items()` gives pairs of key and value, so that the loop needs no second look-up. The table is then printed with )"
      R"(the names right-aligned in ten columns and the numbers in five. A dictionary keeps the order of insertion.)"};
  const bool openai = prompt.dialect == Dialect::openai;
  const std::string_view system_text = "You are a helpful assistant. Answer in plain words.";

  std::string tail, path;
  const std::string stream = prompt.stream ? "true" : "false";
  switch (prompt.dialect) {
    case Dialect::openai:
      path = "/v1/chat/completions";
      tail = R"(],"model":")" + prompt.model + R"(","max_tokens":256,"stream":)" + stream +
             (prompt.stream && prompt.usage ? R"(,"stream_options":{"include_usage":true})" : "") +
             R"(,"temperature":0.7})";
      break;
    case Dialect::anthropic:
      path = "/v1/messages";
      tail = R"(],"model":")" + prompt.model + R"(","max_tokens":256,"stream":)" + stream + R"(,"system":")" +
             std::string(system_text) + R"("})";
      break;
    case Dialect::gemini:
      path = "/v1beta/models/" + prompt.model + (prompt.stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
      tail = R"(],"systemInstruction":{"parts":[{"text":")" + std::string(system_text) +
             R"("}]},"generationConfig":{"maxOutputTokens":256,"temperature":0.7}})";
      break;
  }

  std::string body = prompt.dialect == Dialect::gemini ? R"({"contents":[)" : R"({"messages":[)";
  if (openai) body += quoted_turn(prompt.dialect, "system", system_text) + ",";
  for (std::size_t i = 0;; i = (i + 2) % turns.size()) {
    const auto pair = quoted_turn(prompt.dialect, "user", turns[i]) + "," +
                      quoted_turn(prompt.dialect, "assistant", turns[i + 1]) + ",";
    if (body.size() + pair.size() + tail.size() + 150 > prompt.bytes) break;
    body += pair;
  }
  const std::string ask =
      quoted_turn(prompt.dialect, "user", "Thank you. And the highest mountain? tag=@ END-OF-PROMPT");
  const auto at = ask.find('@');
  const std::size_t short_of = body.size() + ask.size() + tail.size() + tag_size;
  const std::string padding(short_of < prompt.bytes ? prompt.bytes - short_of : 0, '.');
  const auto from = ask.find(" tag=");
  body += ask.substr(0, from) + padding + ask.substr(from, at - from);
  const std::string rest = ask.substr(at + 1) + tail;

  std::string head = "POST " + path + " HTTP/1.1\r\nHost: " + prompt.host + "\r\n";
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
  switch (prompt.dialect) {
    case Dialect::openai: head += "Authorization: Bearer " + prompt.key + "\r\n"; break;
    case Dialect::anthropic: head += "x-api-key: " + prompt.key + "\r\nanthropic-version: 2023-06-01\r\n"; break;
    case Dialect::gemini: head += "x-goog-api-key: " + prompt.key + "\r\n"; break;
  }
  head += "Content-Length: " + std::to_string(body.size() + tag_size + rest.size()) + "\r\n\r\n";
  return {.before = head + body, .after = rest};
}

}  // namespace bench
