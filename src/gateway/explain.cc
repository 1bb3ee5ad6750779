// SPDX-License-Identifier: MIT
#include "gateway/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json.h"
#include "base/money.h"
#include "base/text.h"
#include "dialects/registry.h"
#include "gateway/allowed.h"
#include "gateway/choose.h"
#include "gateway/metering.h"
#include "policy/clocks.h"

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
  [[nodiscard]] std::int64_t answer() override { return usual_answer; }
  [[nodiscard]] std::uint64_t beginning() override { return 0; }  // nobody described a conversation

 private:
  const ExplainAsk& ask_;
};

std::string clock(Millis time) {
  return time.count() == 0 ? "none" : go_duration(time);
}

// What 99 of 100 of its streams needed, where its clock is made of that.
std::optional<double> p99_of(const Target& target, const Odds& odds) {
  if (!target.clocks().learn_first_token) return std::nullopt;
  return odds.health.of(target.backend->name, target.model, odds.now_ms)->view(odds.now_ms).p99_ms;
}

std::string clocks_text(const Timeouts& t, std::optional<double> p99_ms) {
  std::string first = clock(first_token_clock(t, p99_ms));
  if (t.learn_first_token && p99_ms) first += fmt::format(" (learnt: 99 of 100 needed {:.0f}ms)", *p99_ms);
  if (t.learn_first_token && !p99_ms) first += " (until it is learnt)";
  return fmt::format("connect {}, first token {}, between tokens {}, total {}", clock(t.connect), first,
                     clock(t.between_tokens), clock(t.total));
}

std::string hedge_text(const HedgeSettings& hedge) {
  if (!hedge.on) return "never";
  return hedge.p95 ? "p95" : go_duration(hedge.after);
}

// What is done about faults of this request, as a sentence.
std::string rules_text(const FailoverSettings& rules) {
  std::string out = fmt::format("up to {} calls, a retry within {}, a deadline of {}", rules.attempts,
                                clock(rules.longest_wait), clock(rules.deadline));
  out +=
      rules.hedge.on ? ", a second target after " + hedge_text(rules.hedge) : ", no second target besides a slow one";
  const BreakerSettings& breaker = rules.breaker;
  if (!breaker.enabled) return out + ", no rest for targets that fail";
  return out + fmt::format(", a rest of {} to {} after {} faults or {} % of the calls", clock(breaker.rest),
                           clock(breaker.longest_rest), breaker.faults, breaker.error_rate);
}

void write_rules(json::Writer& out, const FailoverSettings& rules) {
  out.key("failover").begin_object().member("attempts", rules.attempts);
  out.member("longest_wait_ms", rules.longest_wait.count()).member("deadline_ms", rules.deadline.count());
  out.member("hedge", hedge_text(rules.hedge)).key("breaker").begin_object();
  const BreakerSettings& breaker = rules.breaker;
  out.member_bool("enabled", breaker.enabled).member("faults", breaker.faults).member("error_rate", breaker.error_rate);
  out.member("rest_ms", breaker.rest.count()).member("longest_rest_ms", breaker.longest_rest.count());
  out.end_object().end_object();
}

// Dollars for a million tokens; empty when not known.
std::string dollars(const CatalogueRow& row, Charge charge) {
  const auto rate = row.price.rate(charge);
  return rate ? write_decimal(*rate, 9) : std::string();
}

std::string price_text(const Target& target) {
  const auto row = target.backend->row(target.model);
  if (!row || row->price.empty()) return "price not known";
  const std::string in = dollars(*row, Charge::input), out = dollars(*row, Charge::output);
  if (in.empty() && out.empty()) return "price: " + write_price(row->price);
  const auto words = [](const std::string& sum) { return sum.empty() ? std::string("not known") : '$' + sum; };
  return words(in) + " in, " + words(out) + " out per million tokens";
}

std::string edit_text(const json::Edit& edit) {
  switch (edit.op) {
    case json::Edit::Op::set: return "set " + edit.pointer + " " + edit.value;
    case json::Edit::Op::drop: return "drop " + edit.pointer;
    case json::Edit::Op::rename: return "rename " + edit.pointer + " " + edit.value;
  }
  return {};
}

// What is told.
struct Told {
  const ExplainAsk& ask;
  const Route* route;  // null: none fits
  const FailoverSettings& rules;
  std::vector<Target> targets;
  std::vector<Reason> why;                    // of each
  std::vector<std::optional<double>> p99_ms;  // of each
  const Key* key = nullptr;                   // the caller's; null without
  const CountedUse& counted;
};

void write_target(json::Writer& out, const Target& target, const Reason& why, std::optional<double> p99_ms) {
  out.begin_object().member("backend", target.backend->name).member("model", target.model);
  out.member_bool("in", why.in).member("place", why.place);
  if (!why.state.empty()) out.member("state", why.state);
  if (why.quota_left) out.key("quota_left").number(*why.quota_left);
  const Timeouts& clocks = target.clocks();
  out.key("timeouts_ms").begin_object().member("connect", clocks.connect.count());
  out.member("first_token", first_token_clock(clocks, p99_ms).count());
  out.member_bool("first_token_learnt", clocks.learn_first_token && p99_ms)
      .member("between_tokens", clocks.between_tokens.count());
  out.member("total", clocks.total.count()).end_object();
  const auto row = target.backend->row(target.model);
  out.key("price");
  if (row && !row->price.empty()) {
    out.begin_object();
    for (const Charge charge : {Charge::input, Charge::output}) {
      if (const std::string sum = dollars(*row, charge); !sum.empty()) out.member_raw(name(charge), sum);
    }
    out.end_object();
  } else {
    out.null();
  }
  if (row && row->window) out.member("window", *row->window);
  if (target.leg && !target.leg->edits.empty()) {
    out.key("edits").begin_array();
    for (const json::Edit& edit : target.leg->edits) out.string(edit_text(edit));
    out.end_array();
  }
  out.end_object();
}

std::string json_of(const Told& told) {
  const Route* route = told.route;
  std::string text;
  json::Writer out(text);
  out.begin_object().member("model", told.ask.model);
  if (route) {
    out.key("route").begin_object().member("model", route->model);
    if (route->line > 0) out.member("line", static_cast<std::int64_t>(route->line));
    out.member_bool("strict", route->strict)
        .member_bool("resume", route->resume)
        .member_bool("coalesce", route->coalesce)
        .member("on_filter", route->next_on_filter ? "next" : "pass")
        .end_object();
  } else {
    out.key("route").null();
  }
  write_rules(out, told.rules);
  out.key("targets").begin_array();
  for (std::size_t i = 0; i < told.targets.size(); ++i) write_target(out, told.targets[i], told.why[i], told.p99_ms[i]);
  out.end_array();
  if (route && !route->mirrors.empty()) {
    out.key("mirrors").begin_array();
    for (const Route::Mirror& one : route->mirrors)
      out.begin_object().member("target", one.way.over.front().name).key("share").number(one.share).end_object();
    out.end_array();
  }
  if (told.key) write_allowances(out.key("allowance"), *told.key, told.counted);
  out.end_object();
  return text;
}

std::string text_of(const Told& told) {
  const auto& [ask, route, rules, targets, why, p99_ms, key, counted] = told;
  std::string out = ask.model + ": ";
  if (route) {
    out += "the route for \"" + route->model + "\"";
    if (route->line > 0) out += " in line " + std::to_string(route->line);
    if (route->strict) out += ", strict: nothing of a request may be lost";
    if (route->coalesce) {
      out += ", coalesce: the same request at the same time shares one call";
      if (route->shares_among_callers) out += ", whoever asks";
    }
    if (route->next_on_filter) out += ", on_filter: what a content filter stops goes to the next target";
    if (route->resume) out += ", resume: a stream that breaks off is gone on with";
  } else {
    out += "no route takes it, so whoever serves it";
  }
  out += "\nfaults: " + rules_text(rules) + "\n";
  std::size_t name = 0, model = 0;
  for (const Target& target : targets) {
    name = std::max(name, target.backend->name.size());
    model = std::max(model, target.model.size());
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& target = targets[i];
    out += fmt::format("{:>3}. {:<{}}  {:<{}}  {}", i + 1, target.backend->name, name, target.model, model,
                       why[i].in ? "in " : "out");
    for (const std::string& words : {why[i].place, quota_left(why[i].quota_left), why[i].state}) {
      if (!words.empty()) out += "  " + words;
    }
    out += "\n     " + price_text(target) + "\n     " + clocks_text(target.clocks(), p99_ms[i]) + "\n";
    if (target.leg) {
      for (const json::Edit& edit : target.leg->edits) out += "     " + edit_text(edit) + "\n";
    }
  }
  if (targets.size() > 1) out += "A fault, and what one of them cannot take goes to the next.\n";
  if (route) {
    for (const Route::Mirror& one : route->mirrors)
      out += fmt::format("     {:.4g} % are copied to {}\n", one.share * 100, one.way.over.front().name);
  }
  if (key) out += allowances_text(*key, counted);
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

namespace {

// Those that the key may use stay where they are; the others come last, and say so.
Result<void> tell_allowed(const Key& key, Told& told) {
  std::vector<Target> allowed = told.targets;
  TRY_VOID(keep_allowed(key, told.route, told.ask.model, allowed));
  std::vector<Target> targets;
  std::vector<Reason> why;
  const MeteredNode* strict = refuses_unknown_price(key);
  PriceBook prices;
  const auto why_not = [&](const Target& target) {
    if (!allows(&key, *target.backend)) return "the key \"" + key.name + "\" may not use this backend";
    if (!strict || Expense({.input = 1'000}).at_first(*prices.of(*target.backend, target.model))) return std::string();
    return "nobody knows its price, and \"" + std::string(strict->name) + "\" has a budget that wants one";
  };
  for (const bool wanted : {true, false}) {
    for (std::size_t i = 0; i < told.targets.size(); ++i) {
      std::string not_in = why_not(told.targets[i]);
      if (not_in.empty() != wanted) continue;
      targets.push_back(told.targets[i]);
      why.push_back(told.why[i]);
      if (wanted) continue;
      why.back().in = false;
      why.back().state = std::move(not_in);
    }
  }
  told.key = &key;
  told.targets = std::move(targets);
  told.why = std::move(why);
  return {};
}

}  // namespace

Result<Explanation> explain(const Snapshot& snapshot, const Directory& directory, const ExplainAsk& ask, Odds odds,
                            const CountedUse& counted) {
  Described features(ask);
  const Sought sought{
      .model = ask.model, .caller = ask.caller, .dialect = ask.dialect, .stream = ask.stream, .features = features};
  const Route* route = find_route(snapshot.routes(), sought);
  const FailoverSettings& rules = route ? route->failover : snapshot.config().failover;
  Told told{.ask = ask, .route = route, .rules = rules, .targets = {}, .why = {}, .p99_ms = {}, .counted = counted};
  odds.look = true;
  TRY(told.targets, plan(snapshot, route, sought, odds, &told.why));
  if (const auto key = directory.keys().find(ask.caller); key != directory.keys().end())
    TRY_VOID(tell_allowed(*key->second, told));
  for (const Target& target : told.targets) told.p99_ms.push_back(p99_of(target, odds));
  return Explanation{.json = json_of(told), .text = text_of(told)};
}

}  // namespace sluice
