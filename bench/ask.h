// Reading of requests for the mock: HTTP/1.1 framing (as much as a well-behaved client needs) and what the request asks
// for. It refuses what a vendor would refuse and a hasty gateway could get wrong: the caller's own key passed through,
// a truncated body, a model of another vendor. No sockets. SPDX-License-Identifier: MIT
#pragma once

#include <strings.h>

#include <charconv>
#include <string>
#include <string_view>

#include "manners.h"

namespace bench {

inline constexpr std::string_view upstream_key = "sk-upstream-0123456789abcdef0123456789abcdef";

struct Message {
  std::string_view method, path, head, body;
  std::string joined;  // the body when it came in chunks
};

inline std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at)) {
    at += 2;
    if (head.size() - at <= name.size() || head[at + name.size()] != ':') continue;
    if (strncasecmp(head.data() + at, name.data(), name.size()) != 0) continue;
    auto value = head.substr(at + name.size() + 1);
    value = value.substr(0, value.find("\r\n"));
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

// Reads one request from the front of `in`. The number of bytes it took; 0 = not all here yet, npos = not HTTP.
// `out` holds views into `in`.
inline std::size_t read_message(std::string_view in, Message& out) {
  constexpr auto broken = std::string_view::npos;
  const auto end = in.find("\r\n\r\n");
  if (end == in.npos) return 0;
  out.head = in.substr(0, end + 2);
  const auto line = out.head.substr(0, out.head.find("\r\n"));
  const auto space = line.find(' ');
  const auto second = line.find(' ', space + 1);
  if (space == line.npos || second == line.npos) return broken;
  out.method = line.substr(0, space);
  out.path = line.substr(space + 1, second - space - 1);
  out.body = {};
  out.joined.clear();
  std::size_t at = end + 4;
  if (const auto length = header(out.head, "content-length"); !length.empty()) {
    std::size_t size = 0;
    if (std::from_chars(length.data(), length.data() + length.size(), size).ec != std::errc{}) return broken;
    if (in.size() - at < size) return 0;
    out.body = in.substr(at, size);
    return at + size;
  }
  if (header(out.head, "transfer-encoding").empty()) return at;
  for (;;) {
    const auto stop = in.find("\r\n", at);
    if (stop == in.npos) return 0;
    std::size_t size = 0;
    if (std::from_chars(in.data() + at, in.data() + stop, size, 16).ec != std::errc{}) return broken;
    at = stop + 2;
    if (in.size() - at < size + 2) return 0;
    out.joined += in.substr(at, size);
    at += size + 2;
    if (size != 0) continue;
    out.body = out.joined;
    return at;
  }
}

struct Verdict {
  int status = 200;
  std::string_view why;
};

inline Verdict read_ask(const Message& message, const Manner& manner, Ask& ask) {
  const std::string_view body = message.body;
  if (message.method != "POST") return {405, "only POST"};
  std::string_view key = header(message.head, manner.key_field());
  if (key.starts_with("Bearer ")) key.remove_prefix(7);
  if (key != upstream_key) return {401, "not the upstream's key"};
  if (const auto fault = manner.fault(message.path, message.head, body); !fault.empty()) return {400, fault};
  if (!manner.read_path(message.path, ask)) {
    ask.model = member(body, "\"model\"");
    ask.stream = member(body, "\"stream\"") == "true";
    ask.usage = ask.stream && member(body, "\"include_usage\"") == "true";
  }
  if (!ask.model.starts_with(manner.family())) return {404, "no such model"};
  if (ask.stream && !manner.streams()) return {400, "this dialect is not streamed here"};
  const auto tag = body.rfind(tag_name);
  if (tag == body.npos || body.size() - tag < tag_name.size() + tag_size + 1 + prompt_end.size() ||
      body.substr(tag + tag_name.size() + tag_size + 1, prompt_end.size()) != prompt_end || !body.ends_with('}'))
    return {400, "the prompt is cut short"};
  body.copy(ask.tag.data(), tag_size, tag + tag_name.size());
  ask.steer = read_steering(ask.model);
  return {};
}

}  // namespace bench
