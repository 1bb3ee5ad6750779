// How the laws compare messages. SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <set>

#include "base/text.h"
#include "dialects/data_url.h"
#include "dialects/laws.h"
#include "dialects/seal_envelope.h"

namespace sluice::laws {
namespace {

std::map<DialectId, Judge>& judges() {
  static std::map<DialectId, Judge> all;
  return all;
}

std::vector<std::string_view> tokens(std::string_view pointer) {
  std::vector<std::string_view> out;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const auto end = std::min(pointer.find('/'), pointer.size());
    out.push_back(pointer.substr(0, end));
    pointer.remove_prefix(end);
  }
  return out;
}

bool match_tokens(const std::vector<std::string_view>& pattern, std::size_t p,
                  const std::vector<std::string_view>& pointer, std::size_t q) {
  if (p == pattern.size()) return q == pointer.size();
  if (pattern[p] == "**") {
    for (std::size_t to = q; to <= pointer.size(); ++to) {
      if (match_tokens(pattern, p + 1, pointer, to)) return true;
    }
    return false;
  }
  return q < pointer.size() && (pattern[p] == "*" || pattern[p] == pointer[q]) &&
         match_tokens(pattern, p + 1, pointer, q + 1);
}

// Rewrites one value by the rows from `row` on, then what is inside. Empty: the member says nothing.
std::string rewritten(json::Value value, const std::string& pointer, const std::vector<Spelling>& rows, Kind kind,
                      std::size_t row = 0) {
  for (; row < rows.size(); ++row) {
    if (rows[row].kind != kind || !laws::matches(rows[row].pattern, pointer)) continue;
    const auto text = rows[row].rewrite(value);
    if (!text) return {};
    json::Document doc;
    const auto again = doc.parse(*text);
    if (!again) return "\"a spelling gave broken JSON\"";
    return rewritten(*again, pointer, rows, kind, row + 1);
  }
  std::string out;
  if (value.is_object()) {
    out = "{";
    for (const auto [key, inner] : value.members()) {
      const std::string text = rewritten(inner, pointer + '/' + json::pointer_token(key), rows, kind);
      if (text.empty()) continue;
      if (out.size() > 1) out += ',';
      json::append_quoted(out, key);
      out += ':' + text;
    }
    return out + '}';
  }
  if (value.is_array()) {
    out = "[";
    std::size_t i = 0;
    for (const json::Value inner : value.elements()) {
      const std::string text = rewritten(inner, pointer + '/' + std::to_string(i++), rows, kind);
      if (text.empty()) continue;
      if (out.size() > 1) out += ',';
      out += text;
    }
    return out + ']';
  }
  return std::string(value.raw());
}

bool in_url_alphabet(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=";
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

void collect(json::Value value, const std::string& pointer, Leaves& out, int depth) {
  if (value.is_object()) {
    for (const auto [key, inner] : value.members()) {
      collect(inner, pointer + '/' + json::pointer_token(key), out, depth);
    }
  } else if (value.is_array()) {
    std::size_t i = 0;
    for (const json::Value inner : value.elements()) collect(inner, pointer + '/' + std::to_string(i++), out, depth);
  } else if (value.is_string()) {
    std::string text = value.text();
    const std::string_view bare = trim(text);
    if (depth < 3 && bare.size() > 1 && (bare[0] == '{' || bare[0] == '[')) {
      json::Document doc;
      if (const auto inner = doc.parse(text)) return collect(*inner, pointer, out, depth + 1);
    }
    if (const auto url = read_data_url(text)) {
      if (!url->mime.empty()) out.emplace_back(pointer + "/mime", std::string(url->mime));
      text = std::string(url->base64);
    }
    // An envelope may be in base64 where the form asks for bytes.
    auto seal = unwrap_seal(text);
    if (const auto bytes = base64_decode(text); !seal && bytes) seal = unwrap_seal(*bytes);
    if (seal) text = seal->raw;
    if (pointer.ends_with("inlineData/data") && in_url_alphabet(text)) text = standard_base64(text);
    out.emplace_back(pointer, std::move(text));
  } else {
    out.emplace_back(pointer, std::string(value.raw()));
  }
}

bool listed(const std::vector<std::pair<Kind, std::string>>& patterns, Kind kind, std::string_view pointer) {
  return std::ranges::any_of(patterns,
                             [&](const auto& row) { return row.first == kind && laws::matches(row.second, pointer); });
}

bool below(std::string_view pointer, std::string_view root) {
  return pointer.starts_with(root) && (pointer.size() == root.size() || pointer[root.size()] == '/');
}

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

std::string text_of(const Extras& extras) {
  std::string out;
  for (const Extra& e : extras.members) out += ' ' + e.key + '=' + e.raw;
  return out;
}

// The order of members says nothing.
std::string ordered(json::Value value) {
  std::string out;
  if (value.is_object()) {
    std::map<std::string, std::string> members;
    for (const auto [key, inner] : value.members()) members.emplace(key, ordered(inner));
    for (const auto& [key, text] : members) out += key + ':' + text + ',';
    return '{' + out + '}';
  }
  if (value.is_array()) {
    for (const json::Value inner : value.elements()) out += ordered(inner) + ',';
    return '[' + out + ']';
  }
  return value.is_string() ? json::quote(value.text()) : std::string(value.raw());
}
std::string ordered(const RawJson& raw) {
  json::Document doc;
  const auto root = doc.parse(raw);
  return root ? ordered(*root) : raw;
}

std::string text_of(const std::optional<Seal>& seal) {
  return seal ? " seal(" + std::string(name(seal->dialect)) + ' ' + seal->raw + ')' : "";
}

std::string text_of(const Part& part, bool ground);

std::string text_of(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

std::string text_of(const Citation& c, bool ground) {
  return " cite(" + c.url + '|' + c.title + '|' + (ground ? "" : c.cited_text + '|' + c.raw) + ')';
}

std::string body_of(const Part& part, bool ground) {
  return std::visit(Overloaded{
                        [&](const Text& p) {
                          std::string out = "text " + p.text;
                          for (const Citation& c : p.citations) out += text_of(c, ground);
                          return out;
                        },
                        [&](const Media& p) {
                          return "media " + std::to_string(static_cast<int>(p.kind)) + ' ' +
                                 std::to_string(static_cast<int>(p.form)) + ' ' + p.mime + ' ' + p.data +
                                 (ground ? "" : ' ' + p.name + ' ' + p.detail);
                        },
                        [&](const Reasoning& p) { return (p.redacted ? "redacted " : "reasoning ") + p.text; },
                        [&](const ToolCall& p) {
                          std::string arguments = p.arguments;
                          if (json::valid(arguments)) arguments = json::compact(arguments);
                          if (arguments.empty()) arguments = "{}";
                          return "call " + p.id + ' ' + p.name + ' ' + arguments;
                        },
                        [&](const ToolResult& p) {
                          std::string out = "result " + p.call_id;
                          for (const Part& inner : p.parts) out += " [" + text_of(inner, ground) + ']';
                          return out;
                        },
                        [&](const Refusal& p) { return "refusal " + p.text; },
                        [&](const ServerTool& p) { return "server " + p.name + ' ' + p.id + ' ' + ordered(p.raw); },
                        [&](const Opaque& p) { return "opaque " + p.type + ' ' + ordered(p.raw); },
                    },
                    part.body);
}

std::string text_of(const Part& part, bool ground) {
  return body_of(part, ground) + text_of(part.seal) + (ground ? "" : text_of(part.extras));
}

std::string text_of(const Usage& u, bool ground) {
  return "usage " + text_of(u.input) + ' ' + text_of(u.cache_read) + ' ' + text_of(u.cache_write_5m) + ' ' +
         text_of(u.cache_write_1h) + ' ' + text_of(u.tool_input) + ' ' + text_of(u.output) + ' ' +
         text_of(u.reasoning) + (ground ? "" : ' ' + (u.raw.empty() ? "" : json::compact(u.raw)));
}

}  // namespace

Register::Register(Judge judge) {
  const DialectId id = judge.dialect;
  judges()[id] = std::move(judge);
}

const Judge& judge(DialectId dialect) {
  return judges()[dialect];
}

bool matches(std::string_view pattern, std::string_view pointer) {
  return match_tokens(tokens(pattern), 0, tokens(pointer), 0);
}

std::string spelled(std::string_view text, DialectId dialect, Kind kind) {
  json::Document doc;
  const auto root = doc.parse(text);
  if (!root) return "\"not JSON: " + root.error()->message + '"';
  return rewritten(*root, "", judge(dialect).spellings, kind);
}

Leaves leaves(std::string_view text) {
  Leaves out;
  json::Document doc;
  if (const auto root = doc.parse(text)) collect(*root, "", out, 0);
  return out;
}

std::vector<std::string> unexplained(std::string_view from, std::string_view to, DialectId dialect, Kind kind,
                                     const std::vector<Note>& notes, const std::set<std::string>& explained,
                                     bool to_narrow) {
  std::vector<std::string> out;
  std::string arrived;  // every leaf of the target, one after the other
  std::set<std::string> exact;
  for (const auto& [pointer, text] : leaves(to)) {
    arrived += text;
    arrived += '\x01';
    exact.insert(text);
    for (const std::string_view token : tokens(pointer)) exact.insert(std::string(token));
  }
  const Judge& by = judge(dialect);
  for (const auto& [pointer, text] : leaves(spelled(from, dialect, kind))) {
    if (text.empty() || text == "null" || listed(by.forms, kind, pointer)) continue;
    if (std::ranges::any_of(notes, [&, at = std::string_view(pointer)](const Note& note) {
          return below(at, note.pointer) || below(note.pointer, at);
        })) {
      continue;
    }
    // Short words and numbers must stand alone, longer texts may be part of a longer one.
    const bool words = text.size() > 8 || pointer.ends_with("/text") || pointer.ends_with("/content");
    if (exact.contains(text) || (words && arrived.find(text) != std::string::npos)) continue;
    if (explained.contains(text)) continue;
    // A type may be said by its subtype alone ("format": "mp3").
    if (pointer.ends_with("ime") || pointer.ends_with("ype")) {
      if (const auto slash = text.find('/'); slash != std::string::npos && exact.contains(text.substr(slash + 1)))
        continue;
    }
    out.push_back(pointer + " = " + text.substr(0, 120));
  }
  for (const Note& note : notes) {
    if (!to_narrow && note.kind == NoteKind::lost && listed(by.carried, kind, note.pointer)) {
      out.push_back("a Note for what can be carried: " + note.pointer + ": " + note.reason);
    }
  }
  return out;
}

std::set<std::string> noted_texts(std::string_view message, const std::vector<Note>& notes) {
  std::set<std::string> out;
  for (const auto& [pointer, text] : leaves(message)) {
    if (std::ranges::any_of(notes,
                            [&, at = std::string_view(pointer)](const Note& n) { return below(at, n.pointer); })) {
      out.insert(text);
    }
  }
  return out;
}

std::string describe(const std::vector<Event>& events) {
  std::string out;
  const auto at = [](const auto& e) { return std::to_string(e.choice) + '.' + std::to_string(e.block) + ' '; };
  for (const Event& event : events) {
    out += std::visit(
        Overloaded{
            [](const Begin& e) { return "begin " + describe(e.reply, false); },
            [&](const BlockStart& e) { return "start " + at(e) + text_of(e.part, false); },
            [&](const Delta& e) { return "delta " + at(e) + e.text + e.logprobs.value_or("") + text_of(e.extras); },
            [&](const CitationSeen& e) { return "cite " + at(e) + text_of(e.citation, false); },
            [&](const BlockStop& e) { return "stop " + at(e) + text_of(e.seal) + text_of(e.extras); },
            [](const UsageSeen& e) { return text_of(e.usage, false); },
            [](const Finish& e) {
              return "finish " + std::to_string(e.choice) + ' ' + std::to_string(static_cast<int>(e.stop.kind)) + ' ' +
                     e.stop.raw + text_of(e.extras) + text_of(e.message_extras);
            },
            [](const Ping&) { return std::string("ping"); },
            [](const OpaqueEvent& e) { return "opaque " + e.type + ' ' + e.raw; },
            [](const Failed& e) {
              return "failed " + std::string(fault_row(e.error.fault).name) + ' ' + e.error.message;
            },
            [](const End& e) { return "end" + e.service_tier.value_or("") + text_of(e.extras); },
        },
        event);
    out += '\n';
  }
  return out;
}

std::string describe(const Reply& reply, bool ground) {
  std::string out = "id " + reply.id + " model " + reply.model + '\n';
  if (!ground) {
    out += "created " + text_of(reply.created) + " tier " + reply.service_tier.value_or("-") + text_of(reply.extras) +
           '\n';
  }
  for (const Choice& c : reply.choices) {
    out += "choice " + std::to_string(c.index) + " stop " + std::to_string(static_cast<int>(c.stop.kind)) + ' ' +
           c.stop.sequence + (ground ? "" : ' ' + c.stop.raw + text_of(c.extras) + text_of(c.message_extras)) + '\n';
    for (const Part& part : c.parts) out += "  " + text_of(part, ground) + '\n';
  }
  return out + text_of(reply.usage, ground) + '\n';
}

std::vector<Event> read_stream(Framer& framer, StreamReader& reader, const std::vector<std::string_view>& pieces) {
  std::vector<Event> out;
  for (const std::string_view piece : pieces) {
    framer.feed(piece);
    for (;;) {
      auto frame = framer.next();
      if (!frame) {
        out.emplace_back(Failed{frame.error()});
        return out;
      }
      if (!*frame) break;
      reader.read(**frame, out);
    }
  }
  auto last = framer.end();
  if (!last) {
    out.emplace_back(Failed{last.error()});
    return out;
  }
  if (*last) reader.read(**last, out);
  reader.end(out);
  return out;
}

std::vector<Event> read_stream(const Dialect& dialect, std::string_view content_type,
                               const std::vector<std::string_view>& pieces) {
  return read_stream(*dialect.framer(content_type), *dialect.stream_reader(), pieces);
}

std::string write_stream(const Dialect& dialect, const std::vector<Event>& events) {
  const auto writer = dialect.stream_writer(
      Question{.model = "asked-model", .exchange_id = "exchange-1", .unix_seconds = 1700000000, .usage_asked = true});
  std::string out;
  for (const Event& event : events) writer->write(event, out);
  return out;
}

void Tally::tried(const Sample& sample, std::string_view law, bool passed) {
  Count& count = counts_[std::string(sample.dialect->name())][std::string(law)];
  ++count.tried;
  if (passed) {
    ++count.passed;
  } else if (exception(sample.name, law) != nullptr) {
    ++count.excepted;
  }
}

void Tally::noted(const Sample& sample, const std::vector<Note>& notes) {
  for (const Note& note : notes) {
    constexpr std::string_view kinds[] = {"lost", "restated", "added"};
    ++notes_[std::string(sample.dialect->name())][std::string(kinds[static_cast<int>(note.kind)])];
  }
}

void Tally::print() const {
  std::printf("\n%-18s %-34s %7s %7s %9s\n", "dialect", "law", "tried", "passed", "excepted");
  for (const auto& [dialect, laws] : counts_) {
    for (const auto& [law, count] : laws) {
      std::printf("%-18s %-34s %7d %7d %9d\n", dialect.c_str(), law.c_str(), count.tried, count.passed, count.excepted);
    }
  }
  for (const auto& [dialect, kinds] : notes_) {
    std::printf("%-18s notes:", dialect.c_str());
    for (const auto& [kind, count] : kinds) std::printf(" %s %d", kind.c_str(), count);
    std::printf("\n");
  }
}

Tally& tally() {
  static Tally all;
  return all;
}

}  // namespace sluice::laws
