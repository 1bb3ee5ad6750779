// SPDX-License-Identifier: MIT
#include "gateway/raw_call.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sluice {
namespace {

using Words = std::string_view;

void add(std::vector<std::string>& out, std::string name) {
  if (!name.empty() && std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
}

std::string decoded(Words text) {
  return percent_decode(text).value_or(std::string(text));
}

// What stands behind the words that vendors put before a model. Case and doubled slashes do not matter to all of them.
void models_in_path(std::vector<std::string>& out, DialectId dialect, Words path) {
  Words before;
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    const Words segment = path.substr(0, path.find('/'));
    if (iequals(before, "models") || iequals(before, "tunedModels")) {
      // OpenAI's look-alikes have slashes in names; Google ends a name with a slash or a verb.
      std::string name = decoded(dialect == DialectId::gemini ? segment : path);
      if (dialect == DialectId::gemini) name.erase(std::min(name.rfind(':'), name.size()));
      add(out, std::move(name));
    } else if (iequals(before, "deployments") || iequals(before, "engines")) {
      add(out, decoded(segment));
    } else if (iequals(before, "model")) {
      add(out, decoded(path.substr(0, path.rfind('/'))));  // an ARN has slashes; a verb follows
    }
    before = segment;
    path.remove_prefix(segment.size());
  }
}

// Members on the way from several requests in one, or from a session, to a model: Anthropic's batches, Google's, and
// OpenAI's realtime sessions.
constexpr std::array ways = {Words("params"), Words("request"),     Words("requests"), Words("input_config"),
                             Words("audio"),  Words("inputConfig"), Words("input"),    Words("transcription")};

void models_within(std::vector<std::string>& out, json::Value value) {
  for (const json::Value one : value.elements()) models_within(out, one);
  for (const auto [key, inner] : value.members()) {
    if (iequals(key, "model")) {
      add(out, inner.text());
    } else if (std::ranges::find(ways, key) != ways.end()) {
      models_within(out, inner);
    }
  }
}

}  // namespace

void models_in_target(std::vector<std::string>& out, DialectId dialect, Words path, Words query) {
  models_in_path(out, dialect, path);
  if (path.contains('%')) models_in_path(out, dialect, decoded(path));
  while (!query.empty()) {
    const Words one = query.substr(0, query.find('&'));
    const auto equals = std::min(one.find('='), one.size());
    if (iequals(decoded(one.substr(0, equals)), "model"))
      add(out, decoded(one.substr(std::min(equals + 1, one.size()))));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
  }
}

Looks looks(Words beginning) {
  // Blanks, and what other encodings of JSON and their marks put around them.
  constexpr Words nothing(" \t\r\n\0\xef\xbb\xbf\xfe\xff", 10);
  const auto at = beginning.find_first_not_of(nothing);
  if (at == Words::npos) return Looks::unsure;
  return beginning[at] == '{' ? Looks::object : Looks::other;
}

void models_inside(std::vector<std::string>& out, const std::vector<json::TopMember>& members) {
  for (const json::TopMember& member : members) {
    json::Document doc;
    if (member.key == "models") {  // OpenRouter's: whom it may ask instead
      const auto list = doc.parse(member.raw);
      if (!list) continue;
      for (const json::Value one : list->elements()) {
        if (one.is_string()) out.push_back(one.text());
      }
      continue;
    }
    if (member.key != "requests" && member.key != "session" && member.key != "batch") continue;
    if (const auto value = doc.parse(member.raw)) models_within(out, *value);
  }
}

std::string_view bare_model(std::string_view name) {
  for (const Words prefix : {Words("models/"), Words("tunedModels/")}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

}  // namespace sluice
