// SPDX-License-Identifier: MIT
#include "gateway/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "dialects/registry.h"

namespace sluice {
namespace {

// What was described, for routes that ask.
class Described final : public Features {
 public:
  explicit Described(const ExplainAsk& ask) : ask_(ask) {}
  [[nodiscard]] std::string_view header(std::string_view name) override {
    const auto found = ask_.headers.find(std::string(name));
    return found == ask_.headers.end() ? std::string_view() : found->second;
  }
  [[nodiscard]] bool tools() override { return ask_.tools; }
  [[nodiscard]] bool vision() override { return ask_.vision; }
  [[nodiscard]] std::int64_t tokens() override { return ask_.tokens; }
  [[nodiscard]] std::uint64_t beginning() override { return 0; }  // nobody described a conversation

 private:
  const ExplainAsk& ask_;
};

std::string clock(Millis time) {
  return time.count() == 0 ? "none" : go_duration(time);
}

std::string clocks_text(const Timeouts& t) {
  return fmt::format("connect {}, first token {}, between tokens {}, total {}", clock(t.connect), clock(t.first_token),
                     clock(t.between_tokens), clock(t.total));
}

std::string edit_text(const json::Edit& edit) {
  switch (edit.op) {
    case json::Edit::Op::set: return "set " + edit.pointer + " " + edit.value;
    case json::Edit::Op::drop: return "drop " + edit.pointer;
    case json::Edit::Op::rename: return "rename " + edit.pointer + " " + edit.value;
  }
  return {};
}

void write_target(json::Writer& out, const Target& target, const Reason& why) {
  out.begin_object().member("backend", target.backend->name).member("model", target.model);
  out.member_bool("in", why.in).member("place", why.place);
  if (!why.state.empty()) out.member("state", why.state);
  const Timeouts& clocks = target.clocks();
  out.key("timeouts_ms").begin_object().member("connect", clocks.connect.count());
  out.member("first_token", clocks.first_token.count()).member("between_tokens", clocks.between_tokens.count());
  out.member("total", clocks.total.count()).end_object();
  if (target.leg && !target.leg->edits.empty()) {
    out.key("edits").begin_array();
    for (const json::Edit& edit : target.leg->edits) out.string(edit_text(edit));
    out.end_array();
  }
  out.end_object();
}

std::string json_of(const ExplainAsk& ask, const Route* route, const std::vector<Target>& targets,
                    const std::vector<Reason>& why) {
  std::string text;
  json::Writer out(text);
  out.begin_object().member("model", ask.model);
  if (route) {
    out.key("route").begin_object().member("model", route->model);
    if (route->line > 0) out.member("line", static_cast<std::int64_t>(route->line));
    out.member_bool("strict", route->strict).end_object();
  } else {
    out.key("route").null();
  }
  out.key("targets").begin_array();
  for (std::size_t i = 0; i < targets.size(); ++i) write_target(out, targets[i], why[i]);
  out.end_array().end_object();
  return text;
}

std::string text_of(const ExplainAsk& ask, const Route* route, const std::vector<Target>& targets,
                    const std::vector<Reason>& why) {
  std::string out = ask.model + ": ";
  if (route) {
    out += "the route for \"" + route->model + "\"";
    if (route->line > 0) out += " in line " + std::to_string(route->line);
    if (route->strict) out += ", strict: nothing of a request may be lost";
  } else {
    out += "no route takes it, so whoever serves it";
  }
  out += "\n";
  std::size_t name = 0, model = 0;
  for (const Target& target : targets) {
    name = std::max(name, target.backend->name.size());
    model = std::max(model, target.model.size());
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& target = targets[i];
    out += fmt::format("{:>3}. {:<{}}  {:<{}}  {}", i + 1, target.backend->name, name, target.model, model,
                       why[i].in ? "in " : "out");
    for (const std::string& words : {why[i].place, why[i].state}) {
      if (!words.empty()) out += "  " + words;
    }
    out += "\n     " + clocks_text(target.clocks()) + "\n";
    if (target.leg) {
      for (const json::Edit& edit : target.leg->edits) out += "     " + edit_text(edit) + "\n";
    }
  }
  return out;
}

std::unexpected<Failure> wrong(std::string message, std::string_view param) {
  return fail({.fault = Fault::bad_request, .message = std::move(message), .param = std::string(param)});
}

Result<bool> read_flag(std::string_view value, std::string_view name) {
  if (value.empty() || value == "true" || value == "yes" || value == "1") return true;
  if (value == "false" || value == "no" || value == "0") return false;
  return wrong("\"" + std::string(name) + "\" must be true or false.", name);
}

Result<void> read_part(std::string_view name, std::string value, ExplainAsk& out) {
  if (name == "model") {
    out.model = std::move(value);
  } else if (name == "caller") {
    out.caller = std::move(value);
  } else if (name == "dialect") {
    if (!dialect(std::string_view(value))) return wrong("There is no dialect of that name here.", name);
    out.dialect = std::move(value);
  } else if (name == "header") {
    const auto equals = value.find('=');
    if (equals == std::string::npos) return wrong("A header is NAME=VALUE.", name);
    out.headers[lower(std::string_view(value).substr(0, equals))] = value.substr(equals + 1);
  } else if (name == "stream") {
    TRY(out.stream, read_flag(value, name));
  } else if (name == "tools") {
    TRY(out.tools, read_flag(value, name));
  } else if (name == "vision") {
    TRY(out.vision, read_flag(value, name));
  } else if (name == "tokens") {
    const auto [end, bad] = std::from_chars(value.data(), value.data() + value.size(), out.tokens);
    if (bad != std::errc() || end != value.data() + value.size() || out.tokens < 0)
      return wrong("\"tokens\" must be a number.", name);
  } else if (name != "format") {
    return wrong("There is no parameter \"" + visible_ascii(name, 32) +
                     "\" here: model, caller, dialect, header, stream, tools, vision, tokens, format.",
                 name);
  }
  return {};
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("-._~").contains(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

}  // namespace

Result<ExplainAsk> read_explain(std::string_view query) {
  ExplainAsk out;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    const auto equals = std::min(part.find('='), part.size());
    std::string raw(part.substr(std::min(equals + 1, part.size())));
    std::ranges::replace(raw, '+', ' ');
    auto value = percent_decode(raw);
    if (!value) return wrong("The query holds a broken escape.", part.substr(0, equals));
    TRY_VOID(read_part(part.substr(0, equals), *std::move(value), out));
  }
  if (out.model.empty()) return wrong("Which model? For example ?model=gpt-4.", "model");
  return out;
}

std::string explain_query(const ExplainAsk& ask) {
  std::string out;
  const auto say = [&](std::string_view name, std::string_view value) {
    out += (out.empty() ? "" : "&") + std::string(name) + '=';
    append_escaped(out, value);
  };
  say("model", ask.model);
  say("caller", ask.caller);
  say("dialect", ask.dialect);
  for (const auto& [name, value] : ask.headers) say("header", name + '=' + value);
  if (ask.stream) say("stream", "true");
  if (ask.tools) say("tools", "true");
  if (ask.vision) say("vision", "true");
  if (ask.tokens > 0) say("tokens", std::to_string(ask.tokens));
  return out;
}

Result<Explanation> explain(const Snapshot& snapshot, const ExplainAsk& ask, Odds odds) {
  Described features(ask);
  const Sought sought{
      .model = ask.model, .caller = ask.caller, .dialect = ask.dialect, .stream = ask.stream, .features = features};
  const Route* route = find_route(snapshot.routes(), sought);
  std::vector<Reason> why;
  odds.look = true;
  TRY(const auto targets, plan(snapshot, route, sought, odds, &why));
  return Explanation{.json = json_of(ask, route, targets, why), .text = text_of(ask, route, targets, why)};
}

}  // namespace sluice
