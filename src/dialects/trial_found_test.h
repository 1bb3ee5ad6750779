// Whether everything that a wire says has a place in the model: test code for the trial of the contracts.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dialects/laws.h"

namespace sluice::trial {

// What the model holds, as a heap of texts.
struct Found {
  std::set<std::string> exact;
  std::string all;

  void text(std::string_view t) {
    exact.emplace(t);
    all += t;
    all += '\x01';
  }
  void number(const std::optional<std::int64_t>& n) {
    if (n) text(std::to_string(*n));
  }
  void raw(const RawJson& json) {
    text(json);
    for (const auto& [pointer, leaf] : laws::leaves(json)) text(leaf);
  }
  void add(const Extras& extras) {
    for (const Extra& x : extras.members) raw(x.raw);
  }
  void add(const std::vector<Part>& parts) {
    for (const Part& part : parts) add(part);
  }
  void on(const Text& t) {
    text(t.text);
    if (json::valid(t.text)) raw(t.text);
    for (const Citation& c : t.citations) raw(c.raw);
  }
  void on(const Media& m) {
    for (const auto& t : {m.data, m.mime, m.name, m.detail}) text(t);
    text(m.mime.substr(m.mime.find('/') + 1));
  }
  void on(const Reasoning& r) { text(r.text); }
  void on(const ToolCall& c) {
    for (const auto& t : {c.id, c.native_id, c.name}) text(t);
    raw(c.arguments);
  }
  void on(const ToolResult& r) {
    text(r.call_id);
    text(r.is_error ? "error" : "success");
    raw(r.json);
    add(r.parts);
  }
  void on(const Refusal& r) { text(r.text); }
  void on(const ServerTool& t) { raw(t.raw); }
  void on(const Opaque& o) { raw(o.raw); }
  void add(const Part& part) {
    std::visit([&](const auto& body) { on(body); }, part.body);
    if (part.seal) text(part.seal->raw);
    if (part.cache) text(part.cache->ttl);
    add(part.extras);
  }
  void add(const ChatRequest& r) {
    for (const Turn& turn : r.turns) {
      add(turn.parts);
      add(turn.extras);
    }
    for (const Tool& tool : r.tools) {
      for (const auto& t : {tool.name, tool.description}) text(t);
      for (const auto& t : {tool.schema, tool.vendor_raw}) raw(t);
      add(tool.extras);
    }
    if (r.tool_choice) {
      for (const auto& name : r.tool_choice->names) text(name);
    }
    if (r.format) {
      for (const auto& t : {r.format->name, r.format->description}) text(t);
      raw(r.format->schema);
    }
    for (const auto& n : {r.sampling.temperature, r.sampling.top_p}) raw(n.value_or(""));
    for (const auto& word : r.stop) text(word);
    number(r.max_output);
    number(r.reasoning.budget);
    for (const auto& t : {r.model, r.reasoning.effort, r.reasoning.display, r.cache_key.value_or(""),
                          r.service_tier.value_or(""), r.verbosity.value_or("")}) {
      text(t);
    }
    add(r.reasoning.extras);
    raw(r.metadata.value_or(""));
    add(r.extras);
  }
  void add(const Reply& r) {
    for (const auto& t : {r.id, r.model, r.service_tier.value_or("")}) text(t);
    number(r.created);
    for (const Choice& c : r.choices) {
      add(c.parts);
      text(c.stop.raw);
      raw(c.stop.detail);
      std::istringstream lists(c.logprobs.value_or(""));
      for (std::string list; std::getline(lists, list);) raw(list);
      add(c.extras);
      add(c.message_extras);
    }
    raw(r.usage.raw);
    add(r.extras);
  }
  // Leaves of `wire` that are nowhere. Words of form (types, roles) and true, false, null are said by the structure.
  [[nodiscard]] std::string missing(std::string_view wire) const {
    std::string out;
    for (const auto& [pointer, leaf] : laws::leaves(wire)) {
      const std::string name = pointer.substr(pointer.rfind('/') + 1);
      if (name == "type" || name == "role" || name == "mode" || name == "object" || name == "tool_choice") continue;
      if (leaf.empty() || leaf == "true" || leaf == "false" || leaf == "null") continue;
      if (leaf.ends_with(".0") && exact.contains(leaf.substr(0, leaf.size() - 2))) continue;
      if (exact.contains(leaf) || (leaf.size() > 8 && all.find(leaf) != std::string::npos)) continue;
      out += pointer + " = " + leaf + '\n';
    }
    return out;
  }
};

}  // namespace sluice::trial
