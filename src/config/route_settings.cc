// The settings of `routes`: their tables, and how a tree of targets is read. Not here: whether what they name is served
// (route_checks.cc). SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/text.h"
#include "config/reading.h"
#include "dialects/registry.h"

namespace sluice {

namespace {

constexpr std::array<std::string_view, 8> orders = {"fallback", "weighted", "round_robin", "least_busy",
                                                    "latency",  "cheapest", "quota",       "split"};

}  // namespace

std::string_view name(Order order) {
  return orders.at(static_cast<std::size_t>(order));
}

}  // namespace sluice

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using YAML::Node;
using Path = std::string_view;

constexpr auto max_number = std::numeric_limits<std::int32_t>::max();
constexpr std::string_view try_example =
    "for example try: [{backend: openai, model: gpt-4}, {backend: claude, model: claude-sonnet-4}]";

// "a" or ["a", "b"].
void read_some(Reading& in, const Node& node, Path path, std::vector<std::string>& out) {
  if (node.IsSequence() && node.size() == 0) return in.fault(node.Mark(), quoted_name(path) + " is empty");
  if (node.IsSequence()) {
    in.texts(node, path, out);
  } else if (std::string one; in.text(node, path, one)) {
    out.push_back(std::move(one));
  }
}

void read_flag(Reading& in, const Node& node, Path path, std::optional<bool>& out) {
  if (bool value = false; in.boolean(node, path, value)) out = value;
}

void read_dialects(Reading& in, const Node& node, Path path, WhenSettings& out) {
  std::vector<std::string_view> known;
  for (const Dialect* dialect : dialects()) known.push_back(dialect->name());
  std::vector<std::string> names;
  read_some(in, node, path, names);
  for (const std::string& one : names) {
    if (std::ranges::find(known, one) != known.end()) {
      out.dialects.push_back(one);
      continue;
    }
    const auto near = closest(one, known);
    std::string hint = "one of:";
    for (const std::string_view dialect : known) hint += " " + std::string(dialect);
    if (!near.empty()) hint = "did you mean " + quoted_name(near.front()) + "?";
    in.fault(node.Mark(), quoted_name(path) + " names no dialect", std::move(hint));
  }
}

void read_when_headers(Reading& in, const Node& node, Path path, WhenSettings& out) {
  if (!node.IsMap() || node.size() == 0)
    return in.fault(node.Mark(), quoted_name(path) + " must be a map of header names to texts",
                    "for example header: {x-team: \"search*\"}");
  for (const auto& pair : node) {
    std::string value;
    if (in.text(pair.second, path, value)) out.headers[lower(pair.first.Scalar())] = std::move(value);
  }
}

// A number, a yes or a no that is not in quotes stays one; everything else is a text.
bool write_scalar(Reading& in, const Node& node, Path path, json::Writer& out) {
  std::string text;
  if (!in.text(node, path, text)) return false;
  const bool plain = node.Tag() != "!";
  const bool number = plain && !text.empty() && std::string_view("-0123456789").contains(text[0]) && json::valid(text);
  if (number || (plain && (text == "true" || text == "false" || text == "null"))) {
    out.raw(text);
  } else {
    out.string(text);
  }
  return true;
}

bool write_json(Reading& in, const Node& node, Path path, json::Writer& out) {
  bool good = true;
  if (node.IsNull()) {
    out.null();
  } else if (node.IsMap()) {
    out.begin_object();
    for (const auto& pair : node) {
      out.key(pair.first.Scalar());
      good = write_json(in, pair.second, path, out) && good;
    }
    out.end_object();
  } else if (node.IsSequence()) {
    out.begin_array();
    for (const auto& item : node) good = write_json(in, item, path, out) && good;
    out.end_array();
  } else {
    good = write_scalar(in, node, path, out);
    if (!good) out.null();
  }
  return good;
}

// A member's name, or a pointer that begins with "/". Empty, with a fault, when it may not be edited.
std::string edit_pointer(Reading& in, const Node& node, Path path) {
  std::string name;
  if (!in.text(node, path, name)) return {};
  const std::string pointer = name.starts_with('/') ? name : '/' + json::pointer_token(name);
  if (pointer == "/model") {
    in.fault(node.Mark(), "the model is no parameter to edit", "say model: beside backend:");
  } else if (pointer == "/stream" || pointer == "/") {
    in.fault(node.Mark(), quoted_name(path) + " cannot edit " + quoted_name(name));
  } else {
    return pointer;
  }
  return {};
}

void read_set(Reading& in, const Node& node, Path path, TrySettings& out) {
  if (!node.IsMap() || node.size() == 0)
    return in.fault(node.Mark(), quoted_name(path) + " must be a map of parameters to values",
                    "for example set: {temperature: 0}");
  for (const auto& pair : node) {
    json::Edit edit{.pointer = edit_pointer(in, pair.first, path)};
    json::Writer value(edit.value);
    if (write_json(in, pair.second, path, value) && !edit.pointer.empty()) out.edits.push_back(std::move(edit));
  }
}

void read_drop(Reading& in, const Node& node, Path path, TrySettings& out) {
  if (!node.IsSequence() || node.size() == 0)
    return in.fault(node.Mark(), quoted_name(path) + " must be a list of parameters", "for example drop: [logprobs]");
  for (const auto& item : node) {
    json::Edit edit{.op = json::Edit::Op::drop, .pointer = edit_pointer(in, item, path)};
    if (!edit.pointer.empty()) out.edits.push_back(std::move(edit));
  }
}

void read_rename(Reading& in, const Node& node, Path path, TrySettings& out) {
  if (!node.IsMap() || node.size() == 0)
    return in.fault(node.Mark(), quoted_name(path) + " must be a map of parameters to names",
                    "for example rename: {max_tokens: max_completion_tokens}");
  for (const auto& pair : node) {
    json::Edit edit{.op = json::Edit::Op::rename, .pointer = edit_pointer(in, pair.first, path)};
    const bool named = !edit_pointer(in, pair.second, path).empty() && in.text(pair.second, path, edit.value);
    if (named && edit.value.contains('/')) {
      in.fault(pair.second.Mark(), "the new name is a name, not a pointer");
    } else if (named && !edit.pointer.empty()) {
      out.edits.push_back(std::move(edit));
    }
  }
}

void read_balance(Reading& in, const Node& node, Path path, TrySettings& out) {
  std::string word;
  if (!in.choice(node, path, std::span(orders).subspan(1), word)) return;
  out.balance = static_cast<Order>(std::ranges::find(orders, word) - orders.begin());
}

void read_on_filter(Reading& in, const Node& node, Path path, RouteSettings& out) {
  static constexpr std::array<std::string_view, 2> words = {"pass", "next"};
  if (std::string word; in.choice(node, path, words, word)) out.next_on_filter = word == "next";
}

void read_affinity(Reading& in, const Node& node, Path path, TrySettings& out) {
  std::string word;
  if (!in.text(node, path, word)) return;
  using By = AffinitySettings::By;
  if (word == "prompt" || word == "caller") {
    out.affinity.by = word == "prompt" ? By::prompt : By::caller;
  } else if (word.starts_with("header:") && word.size() > 7) {
    out.affinity = {.by = By::header, .header = lower(trim(std::string_view(word).substr(7)))};
  } else {
    in.fault(node.Mark(), quoted_name(path) + " cannot be " + quoted_name(node.Scalar()),
             "one of: prompt caller header:NAME");
  }
}

TrySettings read_entry(Reading& in, const Node& node, Path path);

void read_entries(Reading& in, const Node& node, Path path, std::vector<TrySettings>& out) {
  if (!node.IsSequence()) return in.fault(node.Mark(), quoted_name(path) + " must be a list", std::string(try_example));
  if (node.size() == 0) return in.fault(node.Mark(), quoted_name(path) + " is empty", std::string(try_example));
  for (const auto& item : node) out.push_back(read_entry(in, item, path));
}

bool says(const Node& node, const char* key) {
  return static_cast<bool>(node[key]);
}

// What stands together in one entry.
void check_entry(Reading& in, const Node& node) {
  const int kinds = static_cast<int>(says(node, "backend")) + static_cast<int>(says(node, "over")) +
                    static_cast<int>(says(node, "try"));
  if (kinds != 1) {
    in.fault(node.Mark(), "an entry is a target (backend), a branch (balance and over) or a list (try): one of them",
             "for example {backend: openai, model: gpt-4}");
    return;
  }
  const auto only = [&](const char* key, const char* with) {
    if (says(node, key) && !says(node, with))
      in.fault(node[key].Mark(), quoted_name(key) + " stands beside " + quoted_name(with) + " only");
  };
  for (const char* key : {"model", "set", "drop", "rename", "timeouts"}) only(key, "backend");
  for (const char* key : {"balance", "affinity"}) only(key, "over");
  if (says(node, "over") && !says(node, "balance"))
    in.fault(node.Mark(), "an entry with over needs a balance", "for example balance: weighted");
}

// The order is fixed, so that it does not matter how the file has it.
void sort_edits(std::vector<json::Edit>& edits) {
  const auto rank = [](const json::Edit& edit) {
    using enum json::Edit::Op;
    return edit.op == rename ? 0 : edit.op == drop ? 1 : 2;
  };
  std::ranges::stable_sort(edits, {}, rank);
}

TrySettings read_entry(Reading& in, const Node& node, Path path) {
  TrySettings out{.mark = place(node.Mark())};
  if (node.IsSequence()) {
    read_entries(in, node, path, out.entries);
  } else {
    read_section<TrySettings>(in, node, path, try_settings(), out);
    if (node.IsMap()) check_entry(in, node);
    sort_edits(out.edits);
  }
  return out;
}

// "10%": above nothing, up to all.
void read_share(Reading& in, const Node& node, Path path, double& out) {
  std::string text;
  if (!in.text(node, path, text)) return;
  double percent = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() - 1 || *read.ptr != '%' || percent <= 0 ||
      percent > 100)
    return in.fault(node.Mark(), quoted_name(path) + " must be a share above 0% and up to 100%", "for example 10%");
  out = percent / 100;
}

void read_mirror(Reading& in, const Node& node, Path path, std::vector<MirrorSettings>& out) {
  MirrorSettings mirror;
  mirror.target.mark = place(node.Mark());
  read_section<MirrorSettings>(in, node, path, mirror_settings(), mirror);
  sort_edits(mirror.target.edits);
  if (node.IsMap() && !says(node, "backend"))
    in.fault(node.Mark(), "a mirror needs a backend", "for example mirror: {backend: my-vllm, share: 10%}");
  out.push_back(std::move(mirror));
}

void read_mirrors(Reading& in, const Node& node, Path path, RouteSettings& out) {
  if (!node.IsSequence()) return read_mirror(in, node, path, out.mirrors);
  for (const auto& item : node) read_mirror(in, item, path, out.mirrors);
}

}  // namespace

void read_routes(Reading& in, const Node& node, Path path, Config& out) {
  if (node.IsNull()) return;
  if (!node.IsSequence()) {
    in.fault(node.Mark(), quoted_name(path) + " must be a list",
             "for example routes: [{model: \"gpt-*\", strict: true}]");
    return;
  }
  for (const auto& item : node) {
    RouteSettings route{.mark = place(item.Mark())};
    read_section<RouteSettings>(in, item, path, route_settings(), route);
    if (route.model.empty()) in.fault(item.Mark(), "a route needs a model", "for example model: \"gpt-*\"");
    if (item.IsMap() && item["timeouts"] && !item["try"])
      in.fault(item["timeouts"].Mark(), "a route's timeouts are those of its targets: it has no try",
               std::string(try_example));
    out.routes.push_back(std::move(route));
  }
}

#define READ(T, call) [](Reading& in, const Node& n, Path p, T& out) { call; }

std::span<const Setting<WhenSettings>> when_settings() {
  static constexpr std::array<Setting<WhenSettings>, 7> table = {{
      {{"caller", "text or list of text", "", "who asks, as the log names it; * is a wildcard"},
       READ(WhenSettings, read_some(in, n, p, out.callers))},
      {{"dialect", "text or list of text", "", "the client's dialect, for example openai_chat, anthropic"},
       read_dialects},
      {{"header", "map of text", "", "fields that the request has; * is a wildcard"}, read_when_headers},
      {{"stream", "yes/no", "", "whether a stream is asked for"}, READ(WhenSettings, read_flag(in, n, p, out.stream))},
      {{"tools", "yes/no", "", "whether there are tools"}, READ(WhenSettings, read_flag(in, n, p, out.tools))},
      {{"vision", "yes/no", "", "whether there are pictures"}, READ(WhenSettings, read_flag(in, n, p, out.vision))},
      {{"tokens_over", "number", "", "an input of more than so many tokens, by estimate"},
       [](Reading& in, const Node& n, Path p, WhenSettings& out) {
         if (std::int64_t value = 0; in.integer(n, p, 0, max_number, value)) out.tokens_over = value;
       }},
  }};
  return table;
}

std::span<const Setting<TrySettings>> try_settings() {
  static constexpr std::array<Setting<TrySettings>, 11> table = {{
      {{"backend", "text", "", "a target: this backend, or one account of it (openai.a)"},
       READ(TrySettings, in.text(n, p, out.backend))},
      {{"model", "text", "the one that was asked for", "the model there, as the backend's list has it"},
       READ(TrySettings, in.text(n, p, out.model))},
      {{"set", "map of values", "",
        "parameters of the request in the target's own words, by name or JSON pointer; of JSON bodies"},
       read_set},
      {{"drop", "list of text", "", "parameters that are left out; renaming comes first, then dropping, then setting"},
       read_drop},
      {{"rename", "map of text", "", "parameters that are called otherwise there"}, read_rename},
      {{"timeouts", "section", "", "clocks of this target"},
       READ(TrySettings, read_section<TimeoutChanges>(in, n, p, timeout_changes(), out.timeouts))},
      {{"balance", "one of weighted, round_robin, least_busy, latency, cheapest, quota, split", "",
        "a branch: in which order the entries of `over` are tried; split gives each caller always the same first"},
       read_balance},
      {{"over", "list of targets", "", "the entries of a branch"},
       READ(TrySettings, read_entries(in, n, p, out.entries))},
      {{"affinity", "text", "",
        "prompt, caller or header:NAME: what is equal there goes to the same entry as long as that is well"},
       read_affinity},
      {{"try", "list of targets", "", "a list of entries in order, where it needs a weight; else write [a, b]"},
       READ(TrySettings, read_entries(in, n, p, out.entries))},
      {{"weight", "number", "1", "share within `over`, from 1 to 1000"},
       READ(TrySettings, in.integer(n, p, 1, 1000, out.weight))},
  }};
  return table;
}

std::span<const Setting<MirrorSettings>> mirror_settings() {
  static constexpr std::array<Setting<MirrorSettings>, 8> table = {{
      {{"backend", "text", "", "the backend, or one account of it, that gets the copies"},
       READ(MirrorSettings, in.text(n, p, out.target.backend))},
      {{"model", "text", "the one that was asked for", "the model there, as the backend's list has it"},
       READ(MirrorSettings, in.text(n, p, out.target.model))},
      {{"share", "text", "100%", "how many of the route's requests are copied"},
       READ(MirrorSettings, read_share(in, n, p, out.share))},
      {{"max_concurrent", "number", "32", "most copies under way at once; what comes beyond is dropped and counted"},
       READ(MirrorSettings, in.integer(n, p, 1, max_number, out.max_concurrent))},
      {{"set", "map of values", "", "as of a target"}, READ(MirrorSettings, read_set(in, n, p, out.target))},
      {{"drop", "list of text", "", "as of a target"}, READ(MirrorSettings, read_drop(in, n, p, out.target))},
      {{"rename", "map of text", "", "as of a target"}, READ(MirrorSettings, read_rename(in, n, p, out.target))},
      {{"timeouts", "section", "", "clocks of the copies"},
       READ(MirrorSettings, read_section<TimeoutChanges>(in, n, p, timeout_changes(), out.target.timeouts))},
  }};
  return table;
}

std::span<const Setting<RouteSettings>> route_settings() {
  static constexpr std::array<Setting<RouteSettings>, 11> table = {{
      {{"model", "text", "", "the model as clients ask for it; * is a wildcard; the first route that fits counts"},
       READ(RouteSettings, in.text(n, p, out.model))},
      {{"when", "section", "", "which requests for it; all that is said must fit"},
       READ(RouteSettings, read_section<WhenSettings>(in, n, p, when_settings(), out.when))},
      {{"try", "list of targets", "whoever serves the model",
        "targets in the order in which they are tried; an entry may be a branch, or a list"},
       READ(RouteSettings, read_entries(in, n, p, out.targets))},
      {{"timeouts", "section", "", "clocks of this route"},
       READ(RouteSettings, read_section<TimeoutChanges>(in, n, p, timeout_changes(), out.timeouts))},
      {{"failover", "section", "", "what this route does about faults otherwise"},
       READ(RouteSettings, read_section<FailoverChanges>(in, n, p, failover_changes(), out.failover))},
      {{"mirror", "mirror or list of mirrors", "",
        "a share of the conversations goes to this target too, in the background: the answers are thrown away, their "
        "cost "
        "is recorded"},
       read_mirrors},
      {{"strict", "yes/no", "false",
        "a request of which a target would lose a field goes to another that can say it, else it is refused"},
       READ(RouteSettings, in.boolean(n, p, out.strict))},
      {{"coalesce", "yes/no", "false",
        "requests of one caller with the same bytes, for vectors or with temperature 0 or a seed, share one call while "
        "it runs"},
       READ(RouteSettings, in.boolean(n, p, out.coalesce))},
      {{"coalesce_callers", "yes/no", "false", "with coalesce: different callers share, too"},
       READ(RouteSettings, in.boolean(n, p, out.shares_among_callers))},
      {{"on_filter", "one of pass, next", "pass",
        "an answer that a content filter stopped before any of its text went out: passed on, or the next target asked"},
       read_on_filter},
      {{"resume", "yes/no", "false",
        "a stream that breaks off amid its text is gone on with by the next target, from the text so far"},
       READ(RouteSettings, in.boolean(n, p, out.resume))},
  }};
  return table;
}

#undef READ

}  // namespace sluice::config
